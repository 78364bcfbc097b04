import type { MachineId } from "#schema/ids";
import type { KeyReplacement } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { findMachine } from "../db/machines.ts";
import type { Failure } from "../failure.ts";
import { toKeyReplacement } from "../machine-object/key-order.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

/** The machine's object remembers the newest moment, so asking again for what it knows changes nothing. If that changed, it tells D1. */
export async function rotateKeys(
  { db, objects, now }: Services,
  request: { machineId: MachineId; keysMadeBefore: string | undefined; force: boolean; cause: Cause },
): Promise<Result<KeyReplacement, Failure<"machine_not_found">>> {
  const { machineId, force, cause } = request;
  const machine = await findMachine(db, machineId);
  if (machine === null) return err({ code: "machine_not_found" });
  // A time that is to come would have the machine replace one key after the other until then.
  const madeBeforeMs = Math.min(
    now(),
    request.keysMadeBefore === undefined ? now() : Date.parse(request.keysMadeBefore),
  );
  const asked = await objects.machine(machineId).replaceKeys({ madeBeforeMs, isForced: force }, cause);
  return asked.ok ? ok(toKeyReplacement(asked.value)) : asked;
}
