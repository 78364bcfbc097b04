// Pairs that talk through a gateway. Both ends must do it at once, and each knows only which gateways it reaches itself: so each names them (its
// wish), and this object tells both when the wishes have one in common. A pair is one row, written only when it changes.
import { z } from "zod";
import { MachineId } from "#schema/ids";
import type { Fallback } from "#schema/mesh";
import type { TransitRequest, TransitSet, WireError } from "#schema/wire/messages";
import type { Migration } from "../../durable/migrate.ts";
import type { Database } from "../../durable/sqlite.ts";
import type { MessageContext, MessageOutcome } from "../messages.ts";
import type { MeshRecord } from "../storage.ts";

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

/** What was set before was one end's word: whoever still wishes it asks again. */
export const TRANSIT_WISHES_MIGRATION: Migration = {
  name: "keep both ends' wishes for transit",
  statements: [
    "DROP TABLE transits",
    `CREATE TABLE transits (
      -- the lesser machine id of the pair, and the greater
      machine_id TEXT NOT NULL,
      peer_id TEXT NOT NULL,
      -- JSON arrays: the gateways that each has named
      machine_wish TEXT NOT NULL,
      peer_wish TEXT NOT NULL,
      -- one that both have named; null while there is none
      gateway_id TEXT,
      PRIMARY KEY (machine_id, peer_id)
    ) WITHOUT ROWID`,
    "CREATE INDEX transits_peer_id ON transits (peer_id)",
  ],
};

export interface Transits {
  /** What the machine wishes for the pair from now on. True when the pair goes another way than before. */
  wish(machineId: MachineId, peerId: MachineId, gatewayIds: readonly MachineId[]): boolean;
  /** Null: the two have not agreed. */
  gatewayOf(machineId: MachineId, peerId: MachineId): MachineId | null;
  /** All pairs of the member that have agreed. */
  pairsOf(machineId: MachineId): TransitSet["pairs"];
  /** Ends every pair that the machine is an end or the gateway of; whose pairs changed. */
  dropOf(machineId: MachineId): MachineId[];
  /** Nobody has named this gateway; whose pairs changed. */
  dropThrough(gatewayId: MachineId): MachineId[];
  dropAll(): MachineId[];
}

type Row = {
  machine_id: MachineId;
  peer_id: MachineId;
  machine_wish: string;
  peer_wish: string;
  gateway_id: MachineId | null;
};
interface Pair {
  /** Of the lesser machine id, and of the greater. */
  readonly wishes: readonly [Wish, Wish];
  readonly gatewayId: MachineId | null;
}
type Wish = readonly MachineId[];
const Wish = z.array(MachineId);

export function createTransits(db: Database): Transits {
  const read = (machineId: MachineId, peerId: MachineId): Row | null =>
    db.first<Row>("SELECT * FROM transits WHERE machine_id = ? AND peer_id = ?", machineId, peerId);

  /** True when the pair goes another way than before. */
  function write(machineId: MachineId, peerId: MachineId, before: Pair, wishes: Pair["wishes"]): boolean {
    if (JSON.stringify(wishes) === JSON.stringify(before.wishes)) return false;
    const gatewayId = toAgreed(wishes, before.gatewayId);
    if (wishes.every(({ length }) => length === 0)) {
      db.run("DELETE FROM transits WHERE machine_id = ? AND peer_id = ?", machineId, peerId);
    } else {
      // Not replaced: that would write the index, too.
      db.run(
        `INSERT INTO transits VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
          SET machine_wish = excluded.machine_wish, peer_wish = excluded.peer_wish, gateway_id = excluded.gateway_id`,
        ...[machineId, peerId, ...wishes.map((wish) => JSON.stringify(wish)), gatewayId],
      );
    }
    return gatewayId !== before.gatewayId;
  }

  const endsOf = (rows: readonly Row[]): MachineId[] => [
    ...new Set(rows.flatMap((row) => [row.machine_id, row.peer_id])),
  ];
  const isAgreed = (row: Row) => row.gateway_id !== null;

  function dropThrough(gatewayId: MachineId): MachineId[] {
    const query = "SELECT * FROM transits WHERE instr(machine_wish, ?) > 0 OR instr(peer_wish, ?) > 0";
    const rows = db.all<Row>(query, gatewayId, gatewayId);
    const isOther = (id: MachineId) => id !== gatewayId;
    const changed = rows.filter((row) => {
      const pair = toPair(row);
      const [one, other] = pair.wishes;
      return write(row.machine_id, row.peer_id, pair, [one.filter(isOther), other.filter(isOther)]);
    });
    return endsOf(changed);
  }

  return {
    wish(one, other, gatewayIds) {
      const [machineId, peerId] = one < other ? [one, other] : [other, one];
      const pair = toPair(read(machineId, peerId));
      return write(machineId, peerId, pair, one < other ? [gatewayIds, pair.wishes[1]] : [pair.wishes[0], gatewayIds]);
    },
    gatewayOf: (one, other) => (one < other ? read(one, other) : read(other, one))?.gateway_id ?? null,
    pairsOf(machineId) {
      const rows = db.all<Row>("SELECT * FROM transits WHERE machine_id = ? OR peer_id = ?", machineId, machineId);
      return rows.flatMap(({ machine_id, peer_id, gateway_id }) => {
        const peerId = machine_id === machineId ? peer_id : machine_id;
        return gateway_id === null ? [] : [{ peerId, gatewayId: gateway_id }];
      });
    },
    dropOf(machineId) {
      const query = "DELETE FROM transits WHERE machine_id = ? OR peer_id = ? RETURNING *";
      const ended = db.all<Row>(query, machineId, machineId).filter(isAgreed);
      return [...new Set([...endsOf(ended), ...dropThrough(machineId)])];
    },
    dropThrough,
    dropAll: () => endsOf(db.all<Row>("DELETE FROM transits RETURNING *").filter(isAgreed)),
  };
}

const toPair = (row: Row | null): Pair =>
  row === null
    ? { wishes: [[], []], gatewayId: null }
    : { wishes: [parseWish(row.machine_wish), parseWish(row.peer_wish)], gatewayId: row.gateway_id };

const parseWish = (text: string): Wish => Wish.parse(JSON.parse(text));

/** While both go on naming the gateway that they have, it stays. */
function toAgreed([one, other]: Pair["wishes"], before: MachineId | null): MachineId | null {
  const common = one.filter((gatewayId) => other.includes(gatewayId));
  return before !== null && common.includes(before) ? before : (common[0] ?? null);
}

export const renderTransits = (transits: Pick<Transits, "pairsOf">, machineId: MachineId): string =>
  JSON.stringify({ type: "transit.set", pairs: transits.pairsOf(machineId) } satisfies TransitSet);

export const isTransitAllowed = (fallback: Fallback): boolean => fallback !== "relay";
export const isRelayAllowed = (fallback: Fallback): boolean => fallback !== "transit";

export interface TransitContext extends Pick<MessageContext, "storage" | "transits" | "machineId" | "isOnline"> {
  readonly mesh: MeshRecord;
}
export type TransitOutcome = Pick<MessageOutcome, "replies" | "tells" | "transitMembers">;

/** Gateways that can't be used are left out of a wish; it is refused when none is left, and then there is none. */
export function requestTransit(context: TransitContext, { peerId, gatewayIds }: TransitRequest): TransitOutcome {
  const { transits, machineId } = context;
  const refusal = gatewayIds.length === 0 ? null : findPairRefusal(context, peerId);
  if (refusal !== null) return { replies: [toError(refusal)], tells: [], transitMembers: [] };
  const refusals = gatewayIds.map((gatewayId) => findGatewayRefusal(context, peerId, gatewayId));
  const [first] = refusals;
  const usable = gatewayIds.filter((_, index) => refusals[index] === null);
  const isChanged = transits.wish(machineId, peerId, usable);
  const isAgreed = transits.gatewayOf(machineId, peerId) !== null;
  const isAlone = usable.length > 0 && !isAgreed;
  return {
    replies: usable.length === 0 && first != null ? [toError(first)] : [],
    tells: isAlone ? [{ machineId: peerId, message: { type: "transit.requested", peerId: machineId } }] : [],
    // Both, also when it was so already: one of them may have missed it.
    transitMembers: isChanged || isAgreed ? [machineId, peerId] : [machineId],
  };
}

type Refusal = Omit<WireError, "type">;
const toError = (refusal: Refusal): WireError => ({ type: "error", ...refusal });

function findPairRefusal({ storage, mesh, machineId }: TransitContext, peerId: MachineId): Refusal | null {
  if (!isTransitAllowed(mesh.settings.fallback)) {
    return { code: "transit_not_allowed", message: "this mesh's fallback does not allow transit" };
  }
  const isPeer = peerId !== machineId && storage.readMember(peerId) !== null;
  return isPeer ? null : { code: "member_not_found", message: `${peerId} is no peer in this mesh` };
}

function findGatewayRefusal(context: TransitContext, peerId: MachineId, gatewayId: MachineId): Refusal | null {
  const gateway = context.storage.readMember(gatewayId);
  if (gateway?.isGateway !== true) {
    return { code: "gateway_not_found", message: `${gatewayId} is no gateway in this mesh` };
  }
  if (gatewayId === context.machineId || gatewayId === peerId) {
    return { code: "gateway_not_between", message: "a gateway is reached directly, not through itself" };
  }
  return context.isOnline(gatewayId)
    ? null
    : { code: "gateway_offline", message: `the gateway ${gateway.name} is offline` };
}
