import type { KeyReplacement } from "#schema/machine";
import type { KeyOrder } from "./rpc.ts";
import type { MachineRecord } from "./storage.ts";

/** The moment only moves on; the same object when this asks for nothing more. Pure. */
export function toNewerOrder(known: KeyOrder | null, asked: KeyOrder): KeyOrder {
  if (known === null || asked.madeBeforeMs > known.madeBeforeMs) return asked;
  return asked.isForced && !known.isForced && asked.madeBeforeMs === known.madeBeforeMs ? asked : known;
}

/** As the machine and people are told it. Pure. */
export const toKeyReplacement = ({ madeBeforeMs, isForced }: KeyOrder): KeyReplacement => ({
  keysMadeBefore: new Date(madeBeforeMs).toISOString(),
  force: isForced,
});

/** Pure. */
export const isIdentityKeyDue = ({ keyOrder, identityKeySince }: MachineRecord): boolean =>
  keyOrder !== null && identityKeySince < keyOrder.madeBeforeMs;
