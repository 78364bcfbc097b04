import type { KeyOrder } from "./rpc.ts";
import type { MachineRecord } from "./storage.ts";

/** The moment only moves on; the same object when this asks for nothing more. Pure. */
export function toNewerOrder(known: KeyOrder | null, asked: KeyOrder): KeyOrder {
  if (known === null || asked.madeBeforeMs > known.madeBeforeMs) return asked;
  return asked.isForced && !known.isForced && asked.madeBeforeMs === known.madeBeforeMs ? asked : known;
}

/** Pure. */
export const isIdentityKeyDue = ({ keyOrder, identityKeySince }: MachineRecord): boolean =>
  keyOrder !== null && identityKeySince < keyOrder.madeBeforeMs;
