// Which pairs have no direct path, as members told last. In memory, so that nothing is written for it: read from the link events when somebody
// asks for the first time in the life of the object, and kept up with what members tell from then on.
import type { MachineId } from "#schema/ids";
import type { LinkReport, PathKind, PathReasonCode } from "#schema/path";
import type { Database } from "../../durable/sqlite.ts";

export type IndirectPath = Exclude<PathKind, "direct">;

export interface IndirectLinks {
  /** What a member told, oldest first. */
  note(machineId: MachineId, reports: readonly LinkReport[]): void;
  /** How many pairs of these machines have which path: the worse one, where the two tell different ones. */
  count(isMeant: (machineId: MachineId) => boolean): Record<IndirectPath, number>;
  /** What is known may be wrong: it is read again. */
  forget(): void;
}

/** The worse, the higher. */
const RANKS: Readonly<Record<IndirectPath, number>> = { transit: 1, relayed: 2, none: 3 };

type Row = { machine_id: MachineId; peer_id: MachineId; path: PathKind; reason_code: PathReasonCode };

export function createIndirectLinks(db: Pick<Database, "iterate">): IndirectLinks {
  /** By machine, then by peer; null: not read yet. */
  let links: Map<MachineId, Map<MachineId, IndirectPath>> | null = null;

  function put(known: NonNullable<typeof links>, machineId: MachineId, peerId: MachineId, path: IndirectPath | null) {
    const own = known.get(machineId) ?? new Map<MachineId, IndirectPath>();
    if (path === null) own.delete(peerId);
    else own.set(peerId, path);
    if (own.size === 0) known.delete(machineId);
    else known.set(machineId, own);
  }

  function read(): NonNullable<typeof links> {
    const known: NonNullable<typeof links> = new Map();
    const newest = "SELECT max(number) FROM link_events GROUP BY machine_id, peer_id";
    for (const row of db.iterate<Row>(
      `SELECT machine_id, peer_id, path, reason_code FROM link_events WHERE path <> 'direct' AND number IN (${newest})`,
    )) {
      put(known, row.machine_id, row.peer_id, toIndirectPath(row.path, row.reason_code));
    }
    return known;
  }

  return {
    note(machineId, reports) {
      if (links === null) return;
      for (const { peerId, path, reason } of reports) put(links, machineId, peerId, toIndirectPath(path, reason.code));
    },
    count(isMeant) {
      links ??= read();
      const counts: Record<IndirectPath, number> = { relayed: 0, transit: 0, none: 0 };
      for (const [machineId, own] of links) {
        if (!isMeant(machineId)) continue;
        for (const [peerId, path] of own) {
          if (!isMeant(peerId)) continue;
          const others = links.get(peerId)?.get(machineId);
          // Of two that tell, one counts: the worse, or the lesser id.
          const difference = others === undefined ? 1 : RANKS[path] - RANKS[others];
          if (difference > 0 || (difference === 0 && machineId < peerId)) counts[path] += 1;
        }
      }
      return counts;
    },
    forget() {
      links = null;
    },
  };
}

/** In a large mesh a pair that has nothing to say has no path, and lacks nothing. */
const toIndirectPath = (path: PathKind, reason: PathReasonCode): IndirectPath | null =>
  path === "direct" || (path === "none" && reason === "idle") ? null : path;
