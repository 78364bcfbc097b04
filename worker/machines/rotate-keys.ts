import type { MachineId } from "#schema/ids";
import type { KeyReplacement } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { findMachine } from "../db/machines.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

/** The machine's object remembers the newest moment, so asking again for what it knows changes nothing. */
export async function rotateKeys(
  services: Services,
  request: { machineId: MachineId; keysMadeBefore: string | undefined; force: boolean; cause: Cause },
): Promise<Result<KeyReplacement, Failure<"machine_not_found">>> {
  const { db, objects, now } = services;
  const { machineId, force, cause } = request;
  const machine = await findMachine(db, machineId);
  if (machine === null) return err({ code: "machine_not_found" });
  // A time that is to come would have the machine replace one key after the other until then.
  const madeBeforeMs = Math.min(
    now(),
    request.keysMadeBefore === undefined ? now() : Date.parse(request.keysMadeBefore),
  );
  const asked = await objects.machine(machineId).replaceKeys({ madeBeforeMs, isForced: force });
  if (!asked.ok) return asked;
  const { isChanged, ...order } = asked.value;
  const reply = { keysMadeBefore: new Date(order.madeBeforeMs).toISOString(), force: order.isForced };
  if (isChanged) {
    const details = { name: machine.name, ...reply };
    const event = createAuditEvent(services, cause, {
      action: "key_replacement.requested",
      subjectId: machineId,
      details,
    });
    await runBatch(db, [insertAuditEvent(db, event)]);
  }
  return ok(reply);
}
