// Pairs that talk through a gateway. Both ends must do it at once, so this object decides and tells both; a pair is one row, written only
// when it changes.
import type { MachineId } from "#schema/ids";
import type { Fallback } from "#schema/mesh";
import { err, ok, type Result } from "#schema/result";
import type { TransitRequest, TransitSet, WireError } from "#schema/wire/messages";
import type { Migration } from "../durable/migrate.ts";
import type { Database } from "../durable/sqlite.ts";
import type { MeshRecord, MeshStorage } from "./storage.ts";

export const TRANSITS_MIGRATION: Migration = {
  name: "create transits",
  statements: [
    `CREATE TABLE transits (
      -- the lesser machine id of the pair, and the greater
      machine_id TEXT NOT NULL,
      peer_id TEXT NOT NULL,
      gateway_id TEXT NOT NULL,
      PRIMARY KEY (machine_id, peer_id)
    ) WITHOUT ROWID`,
    "CREATE INDEX transits_peer_id ON transits (peer_id)",
    "CREATE INDEX transits_gateway_id ON transits (gateway_id)",
  ],
};

export interface Transits {
  /** Null ends it. False when it is so already. */
  set(machineId: MachineId, peerId: MachineId, gatewayId: MachineId | null): boolean;
  /** All pairs of the member. */
  pairsOf(machineId: MachineId): TransitSet["pairs"];
  /** Ends every pair that the machine is an end or the gateway of; whose pairs changed. */
  dropOf(machineId: MachineId): MachineId[];
  /** Ends those that go through this gateway; whose pairs changed. */
  dropThrough(gatewayId: MachineId): MachineId[];
  dropAll(): MachineId[];
}

type Row = { machine_id: MachineId; peer_id: MachineId; gateway_id: MachineId };

export function createTransits(db: Database): Transits {
  const drop = (condition: string, ...bindings: MachineId[]): MachineId[] => {
    const rows = db.all<Row>(`DELETE FROM transits ${condition} RETURNING *`, ...bindings);
    return [...new Set(rows.flatMap((row) => [row.machine_id, row.peer_id]))];
  };

  return {
    set(one, other, gatewayId) {
      const [machineId, peerId] = one < other ? [one, other] : [other, one];
      const row = db.first<Row>("SELECT * FROM transits WHERE machine_id = ? AND peer_id = ?", machineId, peerId);
      if ((row?.gateway_id ?? null) === gatewayId) return false;
      if (gatewayId === null) drop("WHERE machine_id = ? AND peer_id = ?", machineId, peerId);
      else db.run("INSERT OR REPLACE INTO transits VALUES (?, ?, ?)", machineId, peerId, gatewayId);
      return true;
    },
    pairsOf(machineId) {
      const rows = db.all<Row>("SELECT * FROM transits WHERE machine_id = ? OR peer_id = ?", machineId, machineId);
      return rows.map((row) => ({
        peerId: row.machine_id === machineId ? row.peer_id : row.machine_id,
        gatewayId: row.gateway_id,
      }));
    },
    dropOf: (id) => drop("WHERE machine_id = ? OR peer_id = ? OR gateway_id = ?", id, id, id),
    dropThrough: (gatewayId) => drop("WHERE gateway_id = ?", gatewayId),
    dropAll: () => drop(""),
  };
}

export const renderTransits = (transits: Pick<Transits, "pairsOf">, machineId: MachineId): string =>
  JSON.stringify({ type: "transit.set", pairs: transits.pairsOf(machineId) } satisfies TransitSet);

export const isTransitAllowed = (fallback: Fallback): boolean => fallback !== "relay";
export const isRelayAllowed = (fallback: Fallback): boolean => fallback !== "transit";

export interface TransitContext {
  readonly storage: Pick<MeshStorage, "readMember">;
  readonly transits: Transits;
  readonly mesh: MeshRecord;
  readonly machineId: MachineId;
  readonly isOnline: (machineId: MachineId) => boolean;
}

/** Who has to be told their pairs: both ends, also when it was so already, because one of them may have missed it. */
export function requestTransit(
  context: TransitContext,
  { peerId, gatewayId }: TransitRequest,
): Result<readonly MachineId[], WireError> {
  const refusal = gatewayId === null ? null : findRefusal(context, peerId, gatewayId);
  if (refusal !== null) return err({ type: "error", ...refusal });
  const { transits, machineId } = context;
  const isChanged = transits.set(machineId, peerId, gatewayId);
  return ok(isChanged || gatewayId !== null ? [machineId, peerId] : [machineId]);
}

type Refusal = Omit<WireError, "type">;

function findRefusal(context: TransitContext, peerId: MachineId, gatewayId: MachineId): Refusal | null {
  const { storage, mesh, machineId, isOnline } = context;
  if (!isTransitAllowed(mesh.settings.fallback)) {
    return { code: "transit_not_allowed", message: "this mesh's fallback does not allow transit" };
  }
  if (peerId === machineId || storage.readMember(peerId) === null) {
    return { code: "member_not_found", message: `${peerId} is no peer in this mesh` };
  }
  const gateway = storage.readMember(gatewayId);
  if (gateway?.isGateway !== true) {
    return { code: "gateway_not_found", message: `${gatewayId} is no gateway in this mesh` };
  }
  if (gatewayId === machineId || gatewayId === peerId) {
    return { code: "gateway_not_between", message: "a gateway is reached directly, not through itself" };
  }
  return isOnline(gatewayId) ? null : { code: "gateway_offline", message: `the gateway ${gateway.name} is offline` };
}
