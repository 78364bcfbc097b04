// A Mesh object as plain data: what it would answer, and the history that a session must have passed through.
import type { DesiredMesh, PeerRow } from "#schema/desired-state";
import { type MachineId, type MeshId, renderUlid } from "#schema/ids";
import { NO_POLICIES } from "#schema/policy";
import type { SyncChanges, SyncSnapshot } from "#schema/wire/messages";
import type { SessionMessage } from "../control/session.ts";

interface Position {
  readonly epoch: string;
  readonly revision: number;
}

export interface MeshModel {
  readonly meshId: MeshId;
  desired(): DesiredMesh;
  /** Every state there ever was, by `epoch/revision`. */
  history(): ReadonlyMap<string, DesiredMesh>;
  /** Each change answers the delta that connected members get. */
  put(index: number, variant: number): SyncChanges;
  putRow(row: PeerRow): SyncChanges;
  remove(index: number): SyncChanges;
  removeRow(machineId: MachineId): SyncChanges;
  rename(variant: number): SyncChanges;
  setKeyRotation(days: number | null): SyncChanges;
  /** A backup was restored: another epoch, counting from `revision`. Deltas from before are worth nothing. */
  restore(revision: number): void;
  /** Only the newest changes can be told as changes. */
  forgetTombstones(): void;
  answerHello(position: Position | null): SyncSnapshot | SyncChanges;
  answerHeartbeat(position: Position): SessionMessage;
}

export const testMeshId = (index: number) => `msh_${testUlid(index)}` as MeshId;
export const testMachineId = (index: number) => `mch_${testUlid(index)}` as MachineId;
const testUlid = (index: number) => renderUlid(1_700_000_000_000 + index, new Uint8Array(16));

/** A peer whose key and endpoint follow from `variant`. */
export function testPeer(index: number, variant = 0): PeerRow {
  return {
    machineId: testMachineId(index),
    name: `m${index}`,
    address: `10.1.0.${index + 1}`,
    address6: `fd00:1::${index + 1}`,
    publicKey: testKey(index * 256 + variant),
    candidates: [{ type: "host", endpoint: `192.0.2.${index + 1}:${51820 + variant}` }],
    answersChecks: true,
    isGateway: false,
  } as PeerRow;
}

export const testKey = (number: number) =>
  `${btoa(String(number).padStart(31, "k")).slice(0, 42)}A=` as PeerRow["publicKey"];

export function createMeshModel(index = 0): MeshModel {
  const meshId = testMeshId(index);
  let epochCount = 1;
  let position: Position = { epoch: "epoch-1", revision: 1 };
  let mesh = {
    id: meshId,
    name: `mesh-${index}`,
    cidr: `10.${index + 1}.0.0/16`,
    cidr6: `fd00:${index + 1}::/64`,
    asn: 4_200_000_001 + index,
    fallback: "relay",
    routeReflectorMode: false,
    keyRotationDays: null as number | null,
    policies: NO_POLICIES,
  };
  let oldestTombstone = 0;
  let meshRevision = 1;
  const rows = new Map<MachineId, { row: PeerRow; revision: number }>();
  const tombstones = new Map<MachineId, number>();
  const history = new Map<string, DesiredMesh>();

  const desired = (): DesiredMesh =>
    ({
      mesh,
      ...position,
      members: [...rows.keys()].sort().map((key) => rows.get(key)?.row),
      announcements: [],
      duties: [],
      policies: NO_POLICIES,
    }) as unknown as DesiredMesh;
  const record = () => history.set(`${position.epoch}/${position.revision}`, desired());
  const next = () => {
    position = { epoch: position.epoch, revision: position.revision + 1 };
    return position.revision;
  };
  const since = (revision: number): SyncChanges => ({
    type: "sync.changes",
    ...position,
    since: revision,
    ...(meshRevision > revision ? { mesh: mesh as DesiredMesh["mesh"] } : {}),
    changed: [...rows.values()].filter((entry) => entry.revision > revision).map((entry) => entry.row),
    removed: [...tombstones].filter(([, at]) => at > revision).map(([machineId]) => machineId),
    announcements: [],
    policies: NO_POLICIES,
  });
  const snapshot = (): SyncSnapshot => ({ type: "sync.snapshot", ...desired(), announcements: [] });
  record();

  const changed = (apply: (revision: number) => void): SyncChanges => {
    const before = position.revision;
    apply(next());
    record();
    return since(before);
  };

  const putRow = (row: PeerRow) =>
    changed((revision) => {
      rows.set(row.machineId, { row, revision });
      tombstones.delete(row.machineId);
    });
  const removeRow = (machineId: MachineId) =>
    changed((revision) => {
      if (rows.delete(machineId)) tombstones.set(machineId, revision);
    });

  return {
    meshId,
    desired,
    history: () => history,
    put: (key, variant) => putRow(testPeer(key, variant)),
    putRow,
    remove: (key) => removeRow(testMachineId(key)),
    removeRow,
    rename: (variant) =>
      changed((revision) => {
        mesh = { ...mesh, name: `mesh-${variant}` };
        meshRevision = revision;
      }),
    setKeyRotation: (keyRotationDays) =>
      changed((revision) => {
        mesh = { ...mesh, keyRotationDays };
        meshRevision = revision;
      }),
    restore(revision) {
      epochCount++;
      position = { epoch: `epoch-${epochCount}`, revision };
      oldestTombstone = revision;
      meshRevision = revision;
      tombstones.clear();
      for (const entry of rows.values()) entry.revision = revision;
      record();
    },
    forgetTombstones() {
      oldestTombstone = position.revision;
      tombstones.clear();
    },
    answerHello(from) {
      if (from === null || from.epoch !== position.epoch) return snapshot();
      if (from.revision < oldestTombstone || from.revision > position.revision) return snapshot();
      return since(from.revision);
    },
    answerHeartbeat(from) {
      if (from.epoch === position.epoch && from.revision === position.revision) {
        return { type: "sync.position", ...position };
      }
      return this.answerHello(from);
    },
  };
}
