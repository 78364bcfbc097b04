import type { PolicySetId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEventIf } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { isReferenceViolation } from "../db/errors.ts";
import { deletePolicySetRow, findPolicySet, hasPolicySetRow, listPolicySetUsers } from "../db/policy-sets.ts";
import type { Failure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import type { Services } from "../services.ts";

/** Users named in a refusal, of each kind. */
const MAX_USERS_NAMED = 3;

export async function deletePolicySet(
  services: Services,
  { policySetId, cause }: { policySetId: PolicySetId; cause: Cause },
): Promise<Result<null, Failure<"policy_set_not_found" | "policy_set_in_use">>> {
  const { db } = services;
  const set = await findPolicySet(db, policySetId);
  if (set === null) return err({ code: "policy_set_not_found" });
  const event = createAuditEvent(services, cause, {
    action: "policy_set.deleted",
    subjectId: policySetId,
    details: { name: set.name },
  });
  try {
    await runBatch(db, [
      insertAuditEventIf(db, event, hasPolicySetRow(policySetId)),
      deletePolicySetRow(db, policySetId),
    ]);
    return ok(null);
  } catch (error) {
    if (!isReferenceViolation(error)) throw error;
    return err({ code: "policy_set_in_use", detail: await describeUsers(services, policySetId) });
  }
}

async function describeUsers({ db }: Services, policySetId: PolicySetId): Promise<string> {
  const { meshes, machines } = await listPolicySetUsers(db, policySetId, MAX_USERS_NAMED + 1);
  const name = (kind: string, names: readonly string[]) => {
    if (names.length === 0) return [];
    const more = names.length > MAX_USERS_NAMED ? " and more" : "";
    return [`${kind} ${names.slice(0, MAX_USERS_NAMED).join(", ")}${more}`];
  };
  const users = [...name("the mesh(es)", meshes), ...name("the machine(s)", machines)];
  return `used by ${users.join("; ") || "something"}: set importPolicySetId and exportPolicySetId there to null first`;
}
