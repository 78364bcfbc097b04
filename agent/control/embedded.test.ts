// The transports and the enrolment against the real control plane, as its own process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { CreatedJoinToken } from "#schema/api/join-tokens";
import { CreatedMesh } from "#schema/api/meshes";
import { Member } from "#schema/machine";
import type { Clock } from "../system/clock.ts";
import { createLongPollTransport } from "./long-poll.ts";
import type { MachineApi } from "./machine-api.ts";
import { createSocketTransport } from "./socket.ts";
import { type ContractPlane, describeTransport, TEST_TIMINGS } from "./transport.contract.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const Ready = z.object({ url: z.string(), ownerToken: z.string() });

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
  const folder = mkdtempSync(path.join(tmpdir(), "becket-embedded-"));
  const argv = ["embedded/main.ts", "--port", "0", "--state", folder, "--json", "--exit-with-parent"];
  const child = spawn(process.execPath, argv, { cwd: repository, stdio: ["ignore", "pipe", "inherit"] });
  const { url, ownerToken } = await readReady(child);
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
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function readReady(child: ChildProcess): Promise<z.infer<typeof Ready>> {
  if (child.stdout === null) throw new Error("the control plane has no output");
  for await (const line of createInterface(child.stdout)) return Ready.parse(JSON.parse(line));
  throw new Error("the control plane ended before it was ready");
}
