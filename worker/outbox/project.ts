import { createDatabase, runBatch, type Statement } from "../db/database.ts";
import {
  insertAuditEvents,
  type MemberCount,
  projectAgentInfo,
  projectMemberCount,
  projectMemberships,
  projectMembershipsRemoved,
  projectMeshRouting,
  projectVipCount,
} from "../db/projections.ts";
import { endTurn } from "../db/rollouts.ts";
import type { Projection } from "./entries.ts";

/** A delivery is one transaction of a few statements, however many entries it has; an outbox bounds their length, too. */
export const MAX_PROJECTIONS = 500;

/**
 * Writes the projections to D1 in one transaction. Safe to repeat. They go by kind, not in order: a membership's revision decides what is
 * newer, so that removing before or after adding ends the same.
 */
export function createProjector(
  binding: D1Database,
): (projections: readonly Projection[]) => Promise<readonly Projection[]> {
  const db = createDatabase(binding);
  return async (projections) => {
    const rows = ofType(projections, "membership").map(({ row }) => row);
    const removals = ofType(projections, "membership_removed");
    const counts = toMemberCounts(projections);
    const events = ofType(projections, "audit_event").map(({ event }) => event);
    const statements: Statement[] = [
      ...(rows.length > 0 ? [projectMemberships(db, rows)] : []),
      ...(removals.length > 0 ? [projectMembershipsRemoved(db, removals)] : []),
      ...counts.map((count) => projectMemberCount(db, count)),
      ...toNewest(ofType(projections, "vip_count")).map((count) => projectVipCount(db, count)),
      ...toNewest(ofType(projections, "mesh_routing")).map((routing) => projectMeshRouting(db, routing)),
      ...ofType(projections, "agent_info").map(({ machineId, agent }) => projectAgentInfo(db, machineId, agent)),
      ...ofType(projections, "upgrade_ended").flatMap(({ ending }) => endTurn(db, ending)),
      ...(events.length > 0 ? [insertAuditEvents(db, events)] : []),
    ];
    await runBatch(db, statements);
    return [];
  };
}

/** The newest count of each mesh: it holds what the older ones count. */
function toMemberCounts(projections: readonly Projection[]): MemberCount[] {
  return toNewest(
    projections.flatMap((projection) => {
      if (projection.type !== "membership" && projection.type !== "membership_removed") return [];
      const { memberCount } = projection;
      const { meshId, revision } = projection.type === "membership" ? projection.row : projection;
      return memberCount === undefined ? [] : [{ meshId, revision, memberCount }];
    }),
  );
}

/** Of each mesh, as above. */
function toNewest<P extends { readonly meshId: string; readonly revision: number }>(projections: readonly P[]): P[] {
  const newest = new Map<string, P>();
  for (const projection of projections) {
    if ((newest.get(projection.meshId)?.revision ?? 0) <= projection.revision)
      newest.set(projection.meshId, projection);
  }
  return [...newest.values()];
}

const ofType = <T extends Projection["type"]>(projections: readonly Projection[], type: T) =>
  projections.filter((projection): projection is Extract<Projection, { type: T }> => projection.type === type);
