import * as operations from "#schema/api/policy-sets";
import { deletePolicySet } from "../policy-sets/delete-policy-set.ts";
import { createPolicySet, listPolicySets, readPolicySet, updatePolicySet } from "../policy-sets/policy-sets.ts";
import { testPolicySet } from "../policy-sets/test-policy-set.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountPolicySets(mount: Mount, services: Services): void {
  mount(operations.listPolicySets, ({ query }) => listPolicySets(services, query));
  mount(operations.createPolicySet, ({ body, cause }) => createPolicySet(services, body, cause));
  mount(operations.getPolicySet, ({ params }) => readPolicySet(services, params.policySetId));
  mount(operations.updatePolicySet, ({ params, body, cause }) =>
    updatePolicySet(services, { ...params, change: body, cause }),
  );
  mount(operations.deletePolicySet, ({ params, cause }) => deletePolicySet(services, { ...params, cause }));
  mount(operations.testPolicySet, ({ params, body }) => testPolicySet(services, params.policySetId, body));
}
