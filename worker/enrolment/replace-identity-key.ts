// POST /agent/v1/machine/identity-key: a machine replaces the key that it signs with. D1 decides, in one transaction; then the Machine object is told. The
// agent keeps both keys until it was answered, and asks again until then, so whatever is interrupted is finished.
import type { IdentityPublicKey, MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { IDENTITY_OVERLAP_MS, type IdentityKeyReply, type IdentityKeyRequest } from "#schema/wire/identity-key";
import { createAuditEvent } from "../audit/new-event.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import { type ReplacementFacts, readReplacementFacts, replaceIdentityKeyRow } from "../db/identities.ts";
import type { MachineRecord } from "../db/machines.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";
import { isSuccessionValid } from "./verify-proof.ts";

type ReplacementFailure = Failure<
  "machine_not_found" | "machine_removed" | "signature_invalid" | "key_taken" | "rate_limited"
>;

/** No object sees these requests, so each of them costs D1. An agent needs one, and a few more where answers are lost. */
export const IDENTITY_KEY_REQUESTS = { burst: 10, perSecond: 0.1, maxKeys: 8_192 };

interface Asked {
  readonly machineId: MachineId;
  readonly request: IdentityKeyRequest;
  readonly requestId: string;
  /** Keys that the one asked for has succeeded, as was proved; empty: a key that is known signed the request. */
  readonly formerKeys: readonly IdentityPublicKey[];
}

export async function replaceIdentityKey(
  services: Services,
  asked: Asked,
): Promise<Result<IdentityKeyReply, ReplacementFailure>> {
  const { db, objects, identityKeys, now } = services;
  const { machineId, request } = asked;
  if (!services.identityKeyLimit.take(machineId, now())) return err(TOO_MANY);
  const { identityKey } = request;
  const facts = await readReplacementFacts(db, { machineId, identityKey });
  if (facts.machine === null) return err({ code: "machine_not_found" });
  let since = facts.machine.identityKeySince;
  if (facts.machine.identityKey !== identityKey) {
    const refusal = await judge(facts, facts.machine, asked, now());
    if (refusal !== null) return err(refusal);
    const swapped = await swap(services, facts.machine, asked);
    if (!swapped.ok) return swapped;
    since = swapped.value;
  }
  identityKeys.forget(machineId);
  // Also when D1 had it: the call before may have been interrupted between the two.
  const told = await objects.machine(machineId).setIdentityKey({ identityKey, sinceMs: since ?? 0 });
  return told.ok ? ok({ identityKey }) : told;
}

const TOO_MANY = {
  code: "rate_limited",
  detail: "the machine asks for new identity keys too often",
  retryAfterSeconds: Math.ceil(1 / IDENTITY_KEY_REQUESTS.perSecond),
} as const;

async function judge(
  { isTaken }: ReplacementFacts,
  machine: MachineRecord,
  { request, formerKeys }: Asked,
  nowMs: number,
): Promise<ReplacementFailure | null> {
  // By the key that it has now: with the one before, which is still taken for requests, nobody makes another.
  const formerKey = machine.identityKey;
  const isProved = formerKeys.includes(formerKey) || (await isSuccessionValid(machine.id, { formerKey, ...request }));
  if (!isProved) return { code: "signature_invalid" };
  if (isTaken) return { code: "key_taken", detail: "another machine has, or had, this identity key" };
  const restMs = (machine.identityKeySince ?? Number.NEGATIVE_INFINITY) + IDENTITY_OVERLAP_MS - nowMs;
  if (restMs <= 0) return null;
  const retryAfterSeconds = Math.ceil(restMs / 1_000);
  return { code: "rate_limited", detail: "the identity key was replaced a moment ago", retryAfterSeconds };
}

/** Answers since when the machine has the new key. */
async function swap(
  services: Services,
  { id: machineId, name, identityKey: from }: MachineRecord,
  { request: { identityKey: to }, requestId, formerKeys }: Asked,
): Promise<Result<number, ReplacementFailure>> {
  const cause = { actor: { kind: "machine", id: machineId, name } as const, requestId };
  const isSuccession = formerKeys.includes(from);
  const replacements = formerKeys.length - formerKeys.indexOf(from);
  const proof = isSuccession ? { provedBy: "succession", replacements } : {};
  const details = { name, publicKey: to, formerPublicKey: from, ...proof };
  const event = createAuditEvent(services, cause, { action: "identity_key.replaced", subjectId: machineId, details });
  // Who proves a succession has the former key no more: nothing of it is under way.
  const change = { machineId, from, to, former: isSuccession ? null : from };
  try {
    if (await replaceIdentityKeyRow(services.db, change, event)) return ok(event.at);
  } catch (error) {
    if (parseUniqueViolation(error) === null) throw error;
    return err({ code: "key_taken", detail: "another machine has this identity key" });
  }
  // Another request of the machine was faster: the agent asks again, and is answered by what that did.
  return err({ code: "rate_limited", detail: "the identity key is being replaced", retryAfterSeconds: 1 });
}
