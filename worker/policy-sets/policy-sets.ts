import type { CreatePolicySet, UpdatePolicySet } from "#schema/api/policy-sets";
import { PolicySetId } from "#schema/ids";
import type { PolicySet } from "#schema/policy";
import { err, ok, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch, type Statement } from "../db/database.ts";
import { parseUniqueViolation } from "../db/errors.ts";
import {
  findPolicySet,
  insertPolicySet,
  listMeshesWithPolicySet,
  listPolicySetRows,
  type PolicySetRecord,
  toPolicySet,
  updatePolicySetRow,
} from "../db/policy-sets.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Cause } from "../outbox/cause.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { changePolicies } from "./tell-meshes.ts";

export async function listPolicySets(
  { db }: Pick<Services, "db">,
  query: PageQuery,
): Promise<Result<Page<PolicySet>, Failure<"cursor_invalid">>> {
  const page = parsePageRequest(query, PolicySetId);
  if (!page.ok) return page;
  const rows = await listPolicySetRows(db, page.value);
  return ok(toPage(rows, page.value.limit, { idOf: (row) => row.id, toItem: toPolicySet }));
}

export async function readPolicySet(
  { db }: Pick<Services, "db">,
  id: PolicySetId,
): Promise<Result<PolicySet, Failure<"policy_set_not_found">>> {
  const set = await findPolicySet(db, id);
  return set === null ? err({ code: "policy_set_not_found" }) : ok(toPolicySet(set));
}

export async function createPolicySet(
  services: Services,
  request: CreatePolicySet,
  cause: Cause,
): Promise<Result<PolicySet, Failure<"name_taken">>> {
  const { db, ids, now } = services;
  const set: PolicySetRecord = { id: ids.policySet(), ...request, createdAt: now() };
  const event = createAuditEvent(services, cause, {
    action: "policy_set.created",
    subjectId: set.id,
    details: request,
  });
  const isStored = await store(services, [insertPolicySet(db, set), insertAuditEvent(db, event)]);
  return isStored ? ok(toPolicySet(set)) : err(nameTaken(request.name));
}

export async function updatePolicySet(
  services: Services,
  { policySetId, change, cause }: { policySetId: PolicySetId; change: UpdatePolicySet; cause: Cause },
): Promise<Result<PolicySet, Failure<"policy_set_not_found" | "name_taken" | "limit_reached">>> {
  const { db } = services;
  const set = await findPolicySet(db, policySetId);
  if (set === null) return err({ code: "policy_set_not_found" });
  // Nobody but people sees the rest.
  const { rules, defaultAction, defaultLocalPreference } = change;
  const isTold = rules !== undefined || defaultAction !== undefined || defaultLocalPreference !== undefined;
  const stored = await changePolicies(services, {
    // Also when the row has it already: the call before may have been interrupted between the row and the objects.
    listMeshes: async () => (isTold ? listMeshesWithPolicySet(db, policySetId) : []),
    write: () => storeChange(services, { set, change, cause }),
  });
  if (!stored.ok) return stored;
  return stored.value ? readPolicySet(services, policySetId) : err(nameTaken(change.name ?? set.name));
}

/** False when the name is taken. */
async function storeChange(
  services: Services,
  { set, change, cause }: { set: PolicySetRecord; change: UpdatePolicySet; cause: Cause },
): Promise<boolean> {
  const { db } = services;
  const isChanged = ([field, value]: [string, unknown]) =>
    value !== undefined && JSON.stringify(value) !== JSON.stringify(set[field as keyof UpdatePolicySet]);
  const changed: UpdatePolicySet = Object.fromEntries(Object.entries(change).filter(isChanged));
  if (Object.keys(changed).length === 0) return true;
  const event = createAuditEvent(services, cause, {
    action: "policy_set.updated",
    subjectId: set.id,
    details: changed,
  });
  return store(services, [updatePolicySetRow(db, set.id, toColumns(changed)), insertAuditEvent(db, event)]);
}

const toColumns = (change: UpdatePolicySet): Parameters<typeof updatePolicySetRow>[2] =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

async function store({ db }: Services, statements: readonly Statement[]): Promise<boolean> {
  try {
    await runBatch(db, statements);
    return true;
  } catch (error) {
    if (parseUniqueViolation(error) === "policy_sets.name") return false;
    throw error;
  }
}

const nameTaken = (name: string) => fieldFailure("name_taken", "name", `there is a policy set named ${name} already`);
