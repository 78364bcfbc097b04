import type { MachineId } from "#schema/ids";
import type { Machine } from "#schema/machine";
import { err, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import { findMachine, type MachineRecord, renameMachineRow } from "../db/machines.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";
import { readMachine } from "./read-machines.ts";

export async function renameMachine(
  services: Services,
  { machineId, name, cause }: { machineId: MachineId; name: string | undefined; cause: Cause },
): Promise<Result<Machine, Failure<"machine_not_found" | "name_taken">>> {
  const machine = await findMachine(services.db, machineId);
  if (machine === null) return err({ code: "machine_not_found" });
  if (name !== undefined) {
    const isStored = machine.name === name || (await storeName(services, { machine, name, cause }));
    if (!isStored) return err(fieldFailure("name_taken", "name", `there is a machine named ${name} already`));
    // Also when the row had the name: the call before may have been interrupted between the row and the object.
    await services.objects.machine(machineId).rename(name);
  }
  return readMachine(services, machineId);
}

/** False when the name is taken. */
async function storeName(
  services: Services,
  { machine, name, cause }: { machine: MachineRecord; name: string; cause: Cause },
): Promise<boolean> {
  const { db } = services;
  const event = createAuditEvent(services, cause, {
    action: "machine.updated",
    subjectId: machine.id,
    details: { name, previousName: machine.name },
  });
  try {
    await runBatch(db, [renameMachineRow(db, machine.id, name), insertAuditEvent(db, event)]);
    return true;
  } catch (error) {
    if (parseUniqueViolation(error) === "machines.name") return false;
    throw error;
  }
}
