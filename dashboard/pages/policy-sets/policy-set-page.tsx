import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { ChevronLeft } from "lucide-react";
import { getPolicySet, updatePolicySet } from "#schema/api/policy-sets";
import { isApiError } from "../../api/api-error.ts";
import { useCan } from "../../api/session.ts";
import { useReply } from "../../api/use-api.ts";
import { buttonClass } from "../../components/button.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState, Notice } from "../../components/states.tsx";
import { QueryView } from "../query-view.tsx";
import { DeletePolicySetButton } from "./delete-policy-set-button.tsx";
import { PolicySetEditor } from "./editor/policy-set-editor.tsx";
import { PolicySetUseList } from "./policy-set-use-list.tsx";
import { usePolicySetUses } from "./use-policy-set-uses.ts";

const route = getRouteApi("/shell/policy-sets/$policySetId");

function PolicySetPage() {
  const { policySetId } = route.useParams();
  const policySet = useReply(getPolicySet, { params: { policySetId } });
  const canChange = useCan(updatePolicySet);
  const uses = usePolicySetUses()(policySetId);
  return (
    <QueryView query={policySet} onError={toMissing}>
      {(found) => (
        <>
          <PageHeader
            title={found.name}
            above={<BackLink />}
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

const BackLink = () => (
  <Link to="/policy-sets" className="inline-flex items-center gap-1 hover:text-ink">
    <ChevronLeft aria-hidden className="size-3.5" /> Policy sets
  </Link>
);

const toMissing = (error: Error) =>
  isApiError(error) && (error.code === "policy_set_not_found" || error.code === "validation_failed") ? (
    <EmptyState
      icon={<ChevronLeft />}
      isWholePage
      title="There is no such policy set"
      action={
        <Link to="/policy-sets" className={buttonClass()}>
          All policy sets
        </Link>
      }
    >
      It may have been deleted.
    </EmptyState>
  ) : undefined;

export const policySetPage = createLazyRoute("/shell/policy-sets/$policySetId")({ component: PolicySetPage });
