import { createDatabase, runBatch, type Database as SharedDatabase, type Statement } from "../db/database.ts";
import { insertAuditEvent, projectAgentInfo, projectMembership, projectMembershipRemoved } from "../db/projections.ts";
import type { Projection } from "./entries.ts";

/** Writes the projections to D1 in one transaction. Safe to repeat. */
export function createProjector(binding: D1Database): (projections: readonly Projection[]) => Promise<void> {
  const db = createDatabase(binding);
  return (projections) =>
    runBatch(
      db,
      projections.map((projection) => toStatement(db, projection)),
    );
}

function toStatement(db: SharedDatabase, projection: Projection): Statement {
  switch (projection.type) {
    case "membership":
      return projectMembership(db, projection.row);
    case "membership_removed":
      return projectMembershipRemoved(db, projection.meshId, projection.machineId, projection.revision);
    case "agent_info":
      return projectAgentInfo(db, projection.machineId, projection.agent);
    case "audit_event":
      return insertAuditEvent(db, projection.event);
  }
}
