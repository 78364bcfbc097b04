// What signals, reports and transits cost: rows written, counted by SQLite. What members only tell each other writes none.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Endpoint, Ipv6Cidr } from "#schema/address";
import type { MachineId } from "#schema/ids";
import { FIRST_PRIVATE_ASN, MeshCidr } from "#schema/mesh";
import { NO_POLICIES } from "#schema/policy";
import type { ToMeshMessage } from "#schema/wire/messages";
import { createMachineId, createMeshId, createPublicKey } from "../../testing/fake-agent.ts";
import { TEST_CAUSE } from "../../testing/test-mesh.ts";
import { createReport } from "../../testing/test-telemetry.ts";
import { createMesh, type MeshServices } from "../create-mesh.ts";
import { addMember, initialiseMesh, setMemberGateway, updateMember } from "../members.ts";
import { handleMessages } from "../messages.ts";
import { createSignalLimits } from "./signals.ts";

const ENDPOINT = Endpoint.parse("198.51.100.7:51820");
const REASON = { code: "direct" as const, message: "direct" };
const LINK = { kind: "up", path: "direct", endpoint: ENDPOINT, reason: REASON, at: "2026-11-25T10:00:00Z" } as const;

test("what members only tell each other writes nothing; the rest writes a few rows, in a mesh of 10 and of 1,000", async () => {
  const small = await withMesh(10, measureMessages);
  const large = await withMesh(1_000, measureMessages);
  expect(large).toEqual(small);
  expect(large).toEqual({
    punch: 0,
    relay: 0,
    observation: 0,
    telemetry: 0,
    // A row and its index entry.
    linkEvent: 2,
    // A row and its index entry; then the row alone.
    transit: 2,
    sameTransit: 0,
    agreedTransit: 1,
    otherTransit: 1,
    noTransit: 1,
    // The member's row, its entry by revision out and in, the mesh.
    nat: 4,
    sameNat: 0,
  });
});

test("the first relay of a mesh writes its key, and no other does", () =>
  withMesh(2, async (mesh) => {
    const meshId = mesh.storage.readMesh()?.settings.id ?? createMeshId();
    const before = mesh.db.work.rowsWritten;
    const ticket = { meshId, machineId: createMachineId(), peerId: createMachineId(), nowMs: 0 };
    await Promise.all([mesh.relayTickets.issue(ticket), mesh.relayTickets.issue(ticket)]);
    expect(mesh.db.work.rowsWritten - before).toBe(1);
  }));

function measureMessages(mesh: MeshServices): Record<string, number> {
  const [machineId, peerId, gatewayId, second] = mesh.storage.readMemberIds() as [
    MachineId,
    MachineId,
    MachineId,
    MachineId,
  ];
  for (const id of [gatewayId, second]) setMemberGateway(mesh, { machineId: id, isGateway: true }, 0);
  const context = { ...mesh, machineId, signalLimits: createSignalLimits(), nowMs: 0 };
  const measure = (message: ToMeshMessage, from = machineId): number => {
    const before = mesh.db.work.rowsWritten;
    const sender = { ...context, machineId: from, isAllowed: () => true, isOnline: () => true };
    const outcome = handleMessages(sender, [message]);
    expect(outcome).toMatchObject({ replies: [], failure: null });
    return mesh.db.work.rowsWritten - before;
  };
  const nat = { mapping: "endpoint-independent", filtering: "address-dependent", isUdpOpen: true } as const;
  const meshId = mesh.storage.readMesh()?.settings.id ?? createMeshId();
  const through = (...gatewayIds: MachineId[]) => measure({ type: "transit.request", peerId, gatewayIds });
  return {
    punch: measure({ type: "punch.request", peerId, kind: "birthday" }),
    relay: measure({ type: "relay.request", peerId }),
    observation: measure({ type: "peer.observed", peerId, endpoint: ENDPOINT }),
    telemetry: measure(createReport(meshId, [peerId])),
    linkEvent: measure({ type: "link.report", links: [{ ...LINK, peerId }] }),
    transit: through(gatewayId),
    sameTransit: through(gatewayId),
    agreedTransit: measure({ type: "transit.request", peerId: machineId, gatewayIds: [gatewayId] }, peerId),
    otherTransit: through(second),
    noTransit: through(),
    nat: measure({ type: "member.update", nat }),
    sameNat: measure({ type: "member.update", nat: { ...nat } }),
  };
}

function withMesh<T>(memberCount: number, use: (mesh: MeshServices) => T | Promise<T>): Promise<T> {
  const id = createMeshId();
  return runInDurableObject(env.MESH.getByName(id), (_, state) => {
    const mesh = createMesh(state, env);
    const [cidr, cidr6] = [MeshCidr.parse("10.0.0.0/8"), Ipv6Cidr.parse("fd00:1:2:3::/64")];
    const settings = {
      id,
      name: "office",
      cidr,
      cidr6,
      asn: FIRST_PRIVATE_ASN,
      fallback: "relay-then-transit",
      routeReflectorMode: false,
      keyRotationDays: null,
      policies: NO_POLICIES,
    } as const;
    initialiseMesh(mesh, settings, 0);
    for (let count = 0; count < memberCount; count++) {
      const machineId = createMachineId();
      addMember(mesh, { machineId, name: "box", address: null, isGateway: false, cause: TEST_CAUSE }, 0);
      updateMember(mesh.storage, machineId, { publicKey: createPublicKey() });
    }
    return use(mesh);
  });
}
