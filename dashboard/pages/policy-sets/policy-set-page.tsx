import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { getPolicySet, updatePolicySet } from "#schema/api/policy-sets";
import { useCan } from "../../api/session.ts";
import { useReply } from "../../api/use-api.ts";
import { PageHeader } from "../../components/layout.tsx";
import { Notice } from "../../components/states.tsx";
import { BackLink, toMissing } from "../detail-parts.tsx";
import { QueryView } from "../query-view.tsx";
import { DeletePolicySetButton } from "./delete-policy-set-button.tsx";
import { PolicySetEditor } from "./editor/policy-set-editor.tsx";
import { PolicySetUseList } from "./policy-set-use-list.tsx";
import { usePolicySetUses } from "./use-policy-set-uses.ts";

const route = getRouteApi("/shell/policy-sets/$policySetId");

const LIST = { to: "/policy-sets", label: "Policy sets" } as const;
const onError = toMissing({
  ...LIST,
  code: "policy_set_not_found",
  noun: "policy set",
  why: "It may have been deleted.",
});

function PolicySetPage() {
  const { policySetId } = route.useParams();
  const policySet = useReply(getPolicySet, { params: { policySetId } });
  const canChange = useCan(updatePolicySet);
  const uses = usePolicySetUses()(policySetId);
  return (
    <QueryView query={policySet} onError={onError}>
      {(found) => (
        <>
          <PageHeader
            title={found.name}
            above={<BackLink {...LIST} />}
            below={uses?.length === 0 ? "Nothing uses it yet: choose it in a mesh's settings or at a machine." : null}
            actions={<DeletePolicySetButton policySet={found} uses={uses ?? []} />}
          />
          {!canChange && (
            <div className="mb-5">
              <Notice tone="info">Your role can look at policy sets and try them, and not change them.</Notice>
            </div>
          )}
          {uses !== undefined && uses.length > 0 && (
            <div className="mb-5">
              <Notice tone="info">
                <p className="mb-1">What is saved here holds at once, in:</p>
                <PolicySetUseList uses={uses} />
              </Notice>
            </div>
          )}
          <PolicySetEditor key={found.id} policySet={found} canChange={canChange} />
        </>
      )}
    </QueryView>
  );
}

export const policySetPage = createLazyRoute("/shell/policy-sets/$policySetId")({ component: PolicySetPage });
