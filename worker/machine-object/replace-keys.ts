import type { AuditAction } from "#schema/api/audit-events";
import { ID_PREFIXES, renderUlid } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import type { Cause } from "../outbox/cause.ts";
import type { Projection } from "../outbox/entries.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { toKeyReplacement, toNewerOrder } from "./key-order.ts";
import type { KeyOrder } from "./rpc.ts";
import type { MachineRecord, MachineStorage } from "./storage.ts";

export interface KeyOrderParts {
  readonly storage: Pick<MachineStorage, "readMachine" | "writeMachine">;
  readonly outbox: Pick<Outbox<Projection>, "enqueue">;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Call it in a transaction: the order and its audit event are kept together. `isChanged`: the machine is to be told. */
export function replaceKeys(
  parts: KeyOrderParts,
  { order, cause }: { readonly order: KeyOrder; readonly cause: Cause },
  nowMs: number,
): Result<{ readonly keyOrder: KeyOrder; readonly isChanged: boolean }, { readonly code: "machine_not_found" }> {
  const machine = parts.storage.readMachine();
  if (machine === null || machine.removedAt !== null) return err({ code: "machine_not_found" });
  const keyOrder = toNewerOrder(machine.keyOrder, order);
  const isChanged = keyOrder !== machine.keyOrder;
  if (isChanged) {
    parts.storage.writeMachine({ ...machine, keyOrder, revision: machine.revision + 1 });
    parts.outbox.enqueue([toAuditEntry(parts, machine, { keyOrder, cause, nowMs })], nowMs);
  }
  return ok({ keyOrder, isChanged });
}

function toAuditEntry(
  { randomBytes }: Pick<KeyOrderParts, "randomBytes">,
  { id: subjectId, name }: MachineRecord,
  { keyOrder, cause, nowMs }: { readonly keyOrder: KeyOrder; readonly cause: Cause; readonly nowMs: number },
): Projection {
  const id = ID_PREFIXES.auditEvent + renderUlid(nowMs, randomBytes(16));
  const action: AuditAction = "key_replacement.requested";
  const details = { name, ...toKeyReplacement(keyOrder) };
  const { actor, requestId } = cause;
  return { type: "audit_event", event: { id, at: nowMs, actor, action, subjectId, meshId: null, details, requestId } };
}
