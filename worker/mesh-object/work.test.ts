// The work of one change does not grow with the mesh: rows read and written, counted by SQLite, in a mesh of 10 and in one of 1,000.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Ipv6Cidr } from "#schema/address";
import { Candidate } from "#schema/desired-state";
import { MAX_TOMBSTONES } from "#schema/limits";
import { FIRST_PRIVATE_ASN, MeshCidr } from "#schema/mesh";
import { NatSummary } from "#schema/nat";
import { NO_POLICIES } from "#schema/policy";
import { createMachineId, createMeshId, createPublicKey } from "../testing/fake-agent.ts";
import { TEST_CAUSE } from "../testing/test-mesh.ts";
import { createMesh, type MeshServices } from "./create-mesh.ts";
import { addMember, initialiseMesh, type MemberChange, removeMember, updateMember } from "./members.ts";
import { createReplies } from "./sync/replies.ts";
import { readDelta } from "./sync/sync.ts";

test("adding, updating, removing and telling a change cost the same in a mesh of 10 and of 1,000", async () => {
  const small = await withMesh(10, measureChanges);
  const large = await withMesh(1_000, measureChanges);
  expect(large).toEqual(small);
  // A member: its row, its index entry, the free range, the mesh, the outbox.
  expect(large).toMatchObject({ add: { rowsWritten: 5 }, hello: { rowsWritten: 4 }, sameHello: { rowsWritten: 0 } });
});

test("a member that has not said hello is told to nobody, and costs a reader nothing", () =>
  withMesh(10, (mesh) => {
    for (let count = 0; count < 50; count++) add(mesh);
    const before = { ...mesh.db.work };
    const delta = readDelta(mesh, readMesh(mesh), 0);
    expect(delta.changed).toHaveLength(10);
    expect(mesh.db.work.rowsRead - before.rowsRead).toBeLessThan(25);
  }));

test("the row of a member with three candidates behind an easy NAT takes 600 bytes, the longest with five 700", () =>
  withMesh(1, (mesh) => {
    const machineId = joinNew(mesh);
    const tell = (change: MemberChange): string => {
      updateMember(mesh.storage, machineId, change);
      const { revision } = readMesh(mesh);
      return readDelta(mesh, readMesh(mesh), revision - 1).changed[0]?.text ?? "";
    };
    // What is as the defaults say is not told.
    expect(tell({ name: "build-server" })).not.toMatch(/nat|answersChecks|isGateway|deviceEpoch/);
    const deviceEpoch = "0123456789abcdef";
    const candidates = [
      ["host", "192.168.100.100:51820"],
      ["stun", "198.51.100.200:51820"],
      ["port_mapped", "198.51.100.200:51820"],
      ["host", "[2001:db8:1234:5678:9abc:def0:1234:5678]:51820"],
      ["peer_observed", "198.51.100.200:61234"],
    ].map(([type, endpoint]) => Candidate.parse({ type, endpoint }));
    const [easy, hard] = ["endpoint-independent", "address-and-port-dependent"].map((mapping) =>
      NatSummary.parse({ mapping, filtering: "address-dependent", isUdpOpen: true, publicAddress: "198.51.100.200" }),
    );
    expect(tell({ candidates: candidates.slice(0, 3), nat: easy ?? null, deviceEpoch }).length).toBeLessThan(600);
    expect(tell({ candidates, nat: hard ?? null, answersChecks: false, isGateway: true }).length).toBeLessThan(700);
  }));

test("remembers a bounded number of removals; who is further behind gets everything", () =>
  withMesh(2, (mesh) => {
    const replies = createReplies(mesh);
    const machineId = createMachineId();
    const { epoch, revision } = readMesh(mesh);
    for (let count = 0; count < MAX_TOMBSTONES + 1; count++)
      removeMember(mesh, { machineId: joinNew(mesh), cause: TEST_CAUSE }, 0);
    const after = readMesh(mesh);
    expect(after.tombstoneCount).toBe(MAX_TOMBSTONES);
    expect(mesh.db.first("SELECT count(*) AS count FROM tombstones")).toEqual({ count: MAX_TOMBSTONES });
    const typesSince = (since: number) =>
      replies.catchUp(after, { machineId, position: { epoch, revision: since } }).map((text) => JSON.parse(text).type);
    expect(typesSince(revision)).toEqual(["sync.snapshot"]);
    expect(typesSince(after.forgottenRevision)).toEqual(["sync.changes"]);
    expect(typesSince(after.forgottenRevision - 1)).toEqual(["sync.snapshot"]);
  }));

test("a kept snapshot is followed by what changed since, and ends where a fresh one does", () =>
  withMesh(100, (mesh) => {
    const replies = createReplies(mesh);
    const nobody = { machineId: createMachineId(), position: null };
    expect(replies.catchUp(readMesh(mesh), nobody)).toHaveLength(1);
    joinNew(mesh);
    const [kept, changes] = replies.catchUp(readMesh(mesh), nobody).map((text) => JSON.parse(text));
    expect([kept.members.length, changes.since, changes.changed.length]).toEqual([100, kept.revision, 1]);
    for (let count = 0; count < 20; count++) joinNew(mesh);
    expect(replies.catchUp(readMesh(mesh), nobody).map((text) => JSON.parse(text).members?.length)).toEqual([121]);
  }));

test("what a failed change wrote is undone, in memory too", () =>
  withMesh(2, (mesh) => {
    const before = readMesh(mesh);
    const fail = () =>
      mesh.storage.transaction(() => {
        add(mesh);
        throw new Error("in the middle");
      });
    expect(fail).toThrow("in the middle");
    expect(readMesh(mesh)).toEqual(before);
    const machineId = add(mesh);
    expect(mesh.storage.readMember(machineId)?.host).toBe(3);
  }));

function measureChanges(mesh: MeshServices) {
  const measure = (act: () => void) => {
    const before = { ...mesh.db.work };
    act();
    const { rowsRead, rowsWritten } = mesh.db.work;
    return { rowsRead: rowsRead - before.rowsRead, rowsWritten: rowsWritten - before.rowsWritten };
  };
  // The first change sets the outbox's alarm; the others find it set.
  let machineId = add(mesh);
  const publicKey = createPublicKey();
  return {
    add: measure(() => {
      machineId = add(mesh);
    }),
    hello: measure(() => updateMember(mesh.storage, machineId, { publicKey, candidates: [] })),
    sameHello: measure(() => updateMember(mesh.storage, machineId, { publicKey, candidates: [] })),
    rename: measure(() => updateMember(mesh.storage, machineId, { name: "renamed" })),
    tell: measure(() => {
      const { revision } = readMesh(mesh);
      readDelta(mesh, readMesh(mesh), revision - 1);
    }),
    remove: measure(() => removeMember(mesh, { machineId, cause: TEST_CAUSE }, 0)),
  };
}

function withMesh<T>(memberCount: number, use: (mesh: MeshServices) => T): Promise<T> {
  const id = createMeshId();
  return runInDurableObject(env.MESH.getByName(id), (_, state) => {
    const mesh = createMesh(state, env);
    const cidr6 = Ipv6Cidr.parse("fd00:1:2:3::/64");
    initialiseMesh(
      mesh,
      {
        id,
        name: "office",
        cidr: MeshCidr.parse("10.0.0.0/8"),
        cidr6,
        asn: FIRST_PRIVATE_ASN,
        fallback: "relay",
        routeReflectorMode: false,
        keyRotationDays: null,
        policies: NO_POLICIES,
      },
      0,
    );
    for (let count = 0; count < memberCount; count++) joinNew(mesh);
    return use(mesh);
  });
}

function add(mesh: MeshServices) {
  const machineId = createMachineId();
  const added = addMember(mesh, { machineId, name: "box", address: null, isGateway: false, cause: TEST_CAUSE }, 0);
  expect(added.ok).toBe(true);
  return machineId;
}

function joinNew(mesh: MeshServices) {
  const machineId = add(mesh);
  updateMember(mesh.storage, machineId, { publicKey: createPublicKey() });
  return machineId;
}

function readMesh({ storage }: MeshServices) {
  const mesh = storage.readMesh();
  if (mesh === null) throw new Error("no mesh");
  return mesh;
}
