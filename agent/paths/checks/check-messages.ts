// Connectivity checks as STUN messages (RFC 8445 section 7, RFC 8489): Binding requests and answers that only the two members of a pair can
// make. USERNAME is `receiver:sender`, machine ids; the key is that of the pair (system/check-key.ts). Pure.
import type { Endpoint } from "#schema/address";
import { MachineId } from "#schema/ids";
import { isIntact, type ParsedStun, renderStun } from "../../stun/codec.ts";

export interface Check {
  readonly transactionId: Buffer;
  readonly receiver: MachineId;
  readonly sender: MachineId;
  /** The controlling side uses the endpoint that this check goes to. */
  readonly isNominated: boolean;
}

export function renderCheck({ transactionId, receiver, sender, isNominated }: Check, key: Uint8Array): Buffer {
  const username = `${receiver}:${sender}`;
  return renderStun(
    { class: "request", transactionId, attributes: { username, ...(isNominated ? { useCandidate: true } : {}) } },
    { integrity: { key, algorithm: "sha256" }, hasFingerprint: true },
  );
}

/** @param mapped where the check came from; null when it came through a relay */
export function renderCheckAnswer(transactionId: Buffer, mapped: Endpoint | null, key: Uint8Array): Buffer {
  return renderStun(
    { class: "success", transactionId, attributes: mapped === null ? {} : { xorMappedAddress: mapped } },
    { integrity: { key, algorithm: "sha256" }, hasFingerprint: true },
  );
}

/** Who a check is for and from; null: it is no check of ours. Nothing is proved until the key is. */
export function parseParties({ attributes }: ParsedStun): Pick<Check, "receiver" | "sender"> | null {
  const [receiver, sender, ...more] = attributes.username?.split(":") ?? [];
  const parsed = { receiver: MachineId.safeParse(receiver), sender: MachineId.safeParse(sender) };
  if (!parsed.receiver.success || !parsed.sender.success || more.length > 0) return null;
  return { receiver: parsed.receiver.data, sender: parsed.sender.data };
}

/** Made with the key of the pair, and whole. */
export const isAuthentic = (parsed: ParsedStun, key: Uint8Array): boolean =>
  parsed.hasFingerprint && isIntact(parsed, key, "sha256");
