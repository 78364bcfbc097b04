import type { UpdateMachine } from "#schema/api/machines";
import type { MachineId } from "#schema/ids";
import type { Machine } from "#schema/machine";
import { err, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import { findMachine, type MachineRecord, updateMachineRow } from "../db/machines.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { readMachine } from "./read-machines.ts";

export async function updateMachine(
  services: Services,
  { machineId, change, cause }: { machineId: MachineId; change: UpdateMachine; cause: Cause },
): Promise<Result<Machine, Failure<"machine_not_found" | "name_taken">>> {
  const machine = await findMachine(services.db, machineId);
  if (machine === null) return err({ code: "machine_not_found" });
  const isStored = await storeChange(services, { machine, change, cause });
  if (!isStored) return err(fieldFailure("name_taken", "name", `there is a machine named ${change.name} already`));
  const { name, gateway } = change;
  // Also when the row had them: the call before may have been interrupted between the row and the object.
  if (name !== undefined || gateway !== undefined) {
    await services.objects.machine(machineId).update({
      ...(name === undefined ? {} : { name }),
      ...(gateway === undefined ? {} : { isGateway: gateway }),
    });
  }
  return readMachine(services, machineId);
}

/** False when the name is taken. */
async function storeChange(
  services: Services,
  { machine, change, cause }: { machine: MachineRecord; change: UpdateMachine; cause: Cause },
): Promise<boolean> {
  const { db } = services;
  const { name = machine.name, gateway = machine.isGateway } = change;
  const details = {
    ...(name === machine.name ? {} : { name, previousName: machine.name }),
    ...(gateway === machine.isGateway ? {} : { gateway }),
  };
  if (Object.keys(details).length === 0) return true;
  const event = createAuditEvent(services, cause, { action: "machine.updated", subjectId: machine.id, details });
  try {
    const update = updateMachineRow(db, machine.id, { name, isGateway: gateway });
    await runBatch(db, [update, insertAuditEvent(db, event)]);
    return true;
  } catch (error) {
    if (parseUniqueViolation(error) === "machines.name") return false;
    throw error;
  }
}
