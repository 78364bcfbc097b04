import type { PolicySetId } from "#schema/ids";
import type { Database } from "../db/database.ts";
import { findPolicySetIds } from "../db/policy-sets.ts";
import { type Failure, fieldFailure } from "../failure.ts";

export interface UsedPolicySets {
  readonly importPolicySetId?: PolicySetId | null | undefined;
  readonly exportPolicySetId?: PolicySetId | null | undefined;
}

/** Which of the sets to be used is not there. */
export async function findMissingSet(
  db: Database,
  { importPolicySetId, exportPolicySetId }: UsedPolicySets,
): Promise<Failure<"policy_set_not_found"> | null> {
  const wanted = [importPolicySetId, exportPolicySetId].filter((id) => id != null);
  const known = new Set(await findPolicySetIds(db, [...new Set(wanted)]));
  const missing = wanted.find((id) => !known.has(id));
  if (missing === undefined) return null;
  const field = missing === importPolicySetId ? "importPolicySetId" : "exportPolicySetId";
  return fieldFailure("policy_set_not_found", field, `there is no policy set ${missing}`);
}

/** Those that are to be used, and are not yet. */
export function pickChangedSets(
  change: UsedPolicySets,
  before: Readonly<Record<keyof UsedPolicySets, PolicySetId | null>>,
): Partial<Record<keyof UsedPolicySets, PolicySetId | null>> {
  const { importPolicySetId = before.importPolicySetId, exportPolicySetId = before.exportPolicySetId } = change;
  return {
    ...(importPolicySetId === before.importPolicySetId ? {} : { importPolicySetId }),
    ...(exportPolicySetId === before.exportPolicySetId ? {} : { exportPolicySetId }),
  };
}

export const isUsingSets = ({ importPolicySetId, exportPolicySetId }: UsedPolicySets): boolean =>
  importPolicySetId !== undefined || exportPolicySetId !== undefined;
