import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEventIf } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { deleteMachineRow, findMachine, hasMachineRow, insertRemovedMachine } from "../db/machines.ts";
import { deleteMembershipsOfMachine, listMembershipsOf } from "../db/memberships.ts";
import { findOpenRollout, skipRemoved } from "../db/rollouts.ts";
import type { Failure } from "../failure.ts";
import { hintLists } from "../meshes/hint-lists.ts";
import type { Cause } from "../outbox/cause.ts";
import { advance } from "../rollouts/advance.ts";
import type { Services } from "../services.ts";

/** The object first: from then on the machine is cut off. The row goes last, so an interrupted call can be repeated to its end. */
export async function deleteMachine(
  services: Services,
  machineId: MachineId,
  cause: Cause,
): Promise<Result<null, Failure<"machine_not_found">>> {
  const { db, objects, identityKeys, now } = services;
  const machine = await findMachine(db, machineId);
  if (machine === null) return err({ code: "machine_not_found" });
  const memberships = await listMembershipsOf(db, machineId);
  await objects.machine(machineId).remove({ machineId, name: machine.name, identityKey: machine.identityKey }, cause);
  identityKeys.forget(machineId);
  const rollout = await findOpenRollout(db);
  if (rollout !== null) {
    await runBatch(db, [skipRemoved(db, machineId, now())]);
    await advance(services, rollout.id);
  }
  const event = createAuditEvent(services, cause, {
    action: "machine.removed",
    subjectId: machineId,
    details: { name: machine.name },
  });
  await runBatch(db, [
    insertAuditEventIf(db, event, hasMachineRow(machineId)),
    insertRemovedMachine(db, machine, now()),
    deleteMembershipsOfMachine(db, machineId),
    deleteMachineRow(db, machineId),
  ]);
  await hintLists(
    services,
    memberships.map(({ meshId }) => meshId),
  );
  return ok(null);
}
