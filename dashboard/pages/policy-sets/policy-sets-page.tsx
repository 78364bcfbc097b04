import { createLazyRoute, Link } from "@tanstack/react-router";
import { ListFilter, Plus } from "lucide-react";
import { useState } from "react";
import { createPolicySet, listPolicySets } from "#schema/api/policy-sets";
import type { PolicySet } from "#schema/policy";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useCan } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Nothing, PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import type { Column } from "../../components/table/columns.ts";
import { DataTable } from "../../components/table/data-table.tsx";
import { formatQuantity } from "../../lib/format.ts";
import { QueryView } from "../query-view.tsx";
import { CreatePolicySetDialog } from "./create-policy-set-dialog.tsx";
import { nameUses, type PolicySetUse } from "./policy-use-model.ts";
import { ACTION_WORDS } from "./policy-words.ts";
import { usePolicySetUses } from "./use-policy-set-uses.ts";

type FindUses = (policySetId: string) => readonly PolicySetUse[] | undefined;

function PolicySetsPage() {
  const sets = useList(listPolicySets, {}, { everyMs: LIST_EVERY_MS });
  const usesOf = usePolicySetUses();
  const canCreate = useCan(createPolicySet);
  const [isCreating, setCreating] = useState(false);
  const create = canCreate && (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> Create policy set
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Policy sets"
        below="Ordered rules that accept, reject or change routes, for meshes and machines to use."
        actions={create}
      />
      <QueryView query={sets}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<ListFilter />} title="No policy set" action={create}>
              Without one a mesh takes private networks from others and tells them all of its own, and machines take and
              announce everything they may.
            </EmptyState>
          ) : (
            <DataTable
              label="Policy sets"
              rows={all.toSorted((a, b) => a.name.localeCompare(b.name))}
              columns={toColumns(usesOf)}
              toKey={({ id }) => id}
              card={(set) => (
                <div className="flex flex-col gap-1.5">
                  <Name set={set} />
                  <span className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
                    <Rules set={set} />
                    <Default set={set} />
                    <UsedBy uses={usesOf(set.id)} />
                  </span>
                </div>
              )}
            />
          )
        }
      </QueryView>
      {isCreating && <CreatePolicySetDialog sets={sets.data ?? []} onClose={() => setCreating(false)} />}
    </>
  );
}

interface SetProps {
  readonly set: PolicySet;
}

const Name = ({ set }: SetProps) => (
  <span className="block min-w-0">
    <Link
      to="/policy-sets/$policySetId"
      params={{ policySetId: set.id }}
      className="block truncate font-medium after:absolute after:inset-0 hover:text-accent"
    >
      {set.name}
    </Link>
    {set.description && <span className="block truncate text-muted text-xs">{set.description}</span>}
  </span>
);

const Rules = ({ set: { rules } }: SetProps) => {
  const off = rules.filter(({ enabled }) => !enabled).length;
  return (
    <>
      {formatQuantity(rules.length, "rule")}
      {off > 0 && `, ${off} off`}
    </>
  );
};

const Default = ({ set: { defaultAction } }: SetProps) => (
  <Badge tone={ACTION_WORDS[defaultAction].tone}>else {ACTION_WORDS[defaultAction].label}</Badge>
);

const UsedBy = ({ uses }: { readonly uses: readonly PolicySetUse[] | undefined }) => {
  if (uses === undefined) return <Nothing label="not known yet" />;
  return <span className="min-w-0 truncate">{nameUses(uses) ?? <span className="text-muted">not used</span>}</span>;
};

const toColumns = (usesOf: FindUses): readonly Column<PolicySet>[] => [
  { id: "name", header: "Name", track: "minmax(12rem, 2fr)", cell: (set) => <Name set={set} /> },
  { id: "rules", header: "Rules", track: "8rem", cell: (set) => <Rules set={set} /> },
  { id: "default", header: "Default", track: "7rem", cell: (set) => <Default set={set} /> },
  { id: "uses", header: "Used by", track: "minmax(9rem, 1.5fr)", cell: ({ id }) => <UsedBy uses={usesOf(id)} /> },
];

export const policySetsPage = createLazyRoute("/shell/policy-sets")({ component: PolicySetsPage });
