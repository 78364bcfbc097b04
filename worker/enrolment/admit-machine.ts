// Whether the machine gets in, decided in one D1 transaction. What follows from it (objects, meshes) can be interrupted and
// repeated: the same identity key with the same token is let through to the rest without a second use of the token.
import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import type { EnrolmentRequest } from "#schema/wire/enrolment";
import { createAuditEvent } from "../audit/new-event.ts";
import { hashSecret } from "../auth/secrets.ts";
import type { NewAuditEvent } from "../db/audit-events.ts";
import { insertEnrolment, readAdmissionFacts, reopenEnrolment } from "../db/enrolments.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import type { JoinTokenRecord } from "../db/join-tokens.ts";
import type { MachineRecord } from "../db/machines.ts";
import type { Failure } from "../failure.ts";
import type { Services } from "../services.ts";
import { toStatus } from "../tokens/join-tokens.ts";
import { toBaseName, toRandomName, toWantedNames } from "./machine-name.ts";

export type AdmissionFailure = Failure<
  "join_token_invalid" | "join_token_expired" | "join_token_used_up" | "join_token_revoked" | "machine_removed"
>;

export interface Admission {
  readonly machineId: MachineId;
  readonly name: string;
  readonly joinToken: JoinTokenRecord;
  /** True when this enrolment was finished before: nothing is left to do. */
  readonly isFinished: boolean;
}

interface Attempt {
  readonly request: EnrolmentRequest;
  readonly requestId: string;
  readonly joinToken: JoinTokenRecord;
  /** The machine that has the identity key already. */
  readonly known: MachineRecord | null;
  /** For a machine that is not known yet. */
  readonly name: string;
}

/** Machines with one host name that enrol at once take each other's names; the later ones choose again. */
const MAX_ATTEMPTS = 6;
/** From this attempt on the suffix is random: counting would collide again. */
const FIRST_RANDOM_ATTEMPT = 4;

export async function admitMachine(
  services: Services,
  request: EnrolmentRequest,
  requestId: string,
): Promise<Result<Admission, AdmissionFailure>> {
  const tokenHash = await hashSecret(request.token);
  const baseName = toBaseName(request.hostname);
  const wantedNames = toWantedNames(baseName);
  for (let number = 1; number <= MAX_ATTEMPTS; number++) {
    const facts = await readAdmissionFacts(services.db, { tokenHash, identityKey: request.identityKey, wantedNames });
    const { joinToken, known } = facts;
    if (joinToken === null) return err({ code: "join_token_invalid" });
    if (known !== null && known.joinTokenId === joinToken.id) {
      return ok({ machineId: known.id, name: known.name, joinToken, isFinished: known.enrolledAt !== null });
    }
    const status = toStatus(joinToken, services.now());
    if (status !== "active") return err({ code: `join_token_${status}` });
    if (facts.isIdentityRemoved) return err({ code: "machine_removed" });
    const free = wantedNames.find((name) => !facts.takenNames.has(name));
    const isCounted = number < FIRST_RANDOM_ATTEMPT && free !== undefined;
    const name = isCounted ? free : toRandomName(baseName, services.random(2));
    const admission = await tryAdmit(services, { request, requestId, joinToken, known, name });
    if (admission !== null) return ok(admission);
  }
  throw new Error("no machine name was free after several attempts");
}

/** Null when another request was faster: for the name, for the last use, or with the same identity key. */
async function tryAdmit(services: Services, attempt: Attempt): Promise<Admission | null> {
  const { request, joinToken, known } = attempt;
  const machine = {
    id: known?.id ?? services.ids.machine(),
    name: known?.name ?? attempt.name,
    identityKey: request.identityKey,
    agent: request.agent,
    joinTokenId: joinToken.id,
    tags: joinToken.tags,
    now: services.now(),
  };
  const event = toEvent(services, attempt, machine);
  try {
    const isIn = await (known === null ? insertEnrolment : reopenEnrolment)(services.db, machine, event);
    return isIn ? { machineId: machine.id, name: machine.name, joinToken, isFinished: false } : null;
  } catch (error) {
    if (parseUniqueViolation(error) === null) throw error;
    return null;
  }
}

function toEvent(
  services: Services,
  { request, joinToken, requestId }: Attempt,
  { id, name }: { id: MachineId; name: string },
): NewAuditEvent {
  const cause = { actor: toJoinTokenActor(joinToken), requestId };
  const details = { name, hostname: request.hostname, joinTokenId: joinToken.id };
  return createAuditEvent(services, cause, { action: "machine.enrolled", subjectId: id, details });
}

export const toJoinTokenActor = ({ id }: JoinTokenRecord) => ({ kind: "join_token", id, name: "join token" }) as const;
