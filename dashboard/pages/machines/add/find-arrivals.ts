import type { AuditEvent } from "#schema/api/audit-events";
import type { Machine } from "#schema/machine";

/** The machines that enrolled with a join token, the newest first: the audit trail knows with which one each came. */
export function findArrivals(tokenId: string, events: readonly AuditEvent[], machines: readonly Machine[]): Machine[] {
  const byId = new Map(machines.map((machine) => [machine.id as string, machine]));
  return events.flatMap(({ action, actor, subjectId }) => {
    const machine = byId.get(subjectId);
    return action === "machine.enrolled" && actor.id === tokenId && machine !== undefined ? [machine] : [];
  });
}
