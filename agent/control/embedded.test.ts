// The transports and the enrolment against the real control plane, as its own process.
import { CreatedJoinToken } from "#schema/api/join-tokens";
import { CreatedMesh } from "#schema/api/meshes";
import { Member } from "#schema/machine";
import type { Clock } from "../system/clock.ts";
import { startEmbeddedPlane } from "../testing/embedded-plane.ts";
import { createLongPollTransport } from "./long-poll.ts";
import type { MachineApi } from "./machine-api.ts";
import { createSocketTransport } from "./socket.ts";
import { type ContractPlane, describeTransport, TEST_TIMINGS } from "./transport.contract.ts";

describeTransport({
  name: "WebSocket to the embedded control plane",
  createPlane: startEmbedded,
  isShared: true,
  createTransport: (api: MachineApi, clock: Clock) => createSocketTransport(api, clock, TEST_TIMINGS),
});
describeTransport({
  name: "long-poll to the embedded control plane",
  createPlane: startEmbedded,
  isShared: true,
  createTransport: (api: MachineApi, clock: Clock) => createLongPollTransport(api, clock, TEST_TIMINGS),
});

async function startEmbedded(): Promise<ContractPlane> {
  const { url, ownerToken, close } = await startEmbeddedPlane();
  const call = async (method: string, route: string, body?: object): Promise<unknown> => {
    const reply = await fetch(`${url}/api/v1${route}`, {
      method,
      headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(`${method} ${route}: ${reply.status} ${await reply.text()}`);
    return reply.status === 204 ? null : reply.json();
  };
  const mesh = CreatedMesh.parse(
    await call("POST", "/meshes", { name: "office", cidr: "10.1.0.0/16", isDefault: true }),
  );
  let names = 0;
  return {
    url,
    meshId: mesh.id,
    createToken: async () => CreatedJoinToken.parse(await call("POST", "/join-tokens", {})).token,
    change: async () => void (await call("PATCH", `/meshes/${mesh.id}`, { name: `office-${names++}` })),
    appliedRevision: async (machineId) =>
      Member.parse(await call("GET", `/meshes/${mesh.id}/members/${machineId}`)).appliedRevision,
    leave: async (machineId) => void (await call("DELETE", `/meshes/${mesh.id}/members/${machineId}`)),
    removeMachine: async (machineId) => void (await call("DELETE", `/machines/${machineId}`)),
    close,
  };
}
