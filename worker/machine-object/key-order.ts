import type { KeyOrder } from "./rpc.ts";

/** The moment only moves on; the same object when this asks for nothing more. Pure. */
export function toNewerOrder(known: KeyOrder | null, asked: KeyOrder): KeyOrder {
  if (known === null || asked.madeBeforeMs > known.madeBeforeMs) return asked;
  return asked.isForced && !known.isForced && asked.madeBeforeMs === known.madeBeforeMs ? asked : known;
}
