import { useBlocker } from "@tanstack/react-router";
import { ListPlus, Plus } from "lucide-react";
import { useState } from "react";
import { getPolicySet, listPolicySets, updatePolicySet } from "#schema/api/policy-sets";
import { MAX_RULES_PER_POLICY_SET } from "#schema/limits";
import type { PolicySet } from "#schema/policy";
import { Button } from "../../../components/button.tsx";
import { ConfirmDialog } from "../../../components/confirm-dialog.tsx";
import { EmptyState } from "../../../components/states.tsx";
import { useForm } from "../../form/use-form.ts";
import { FormError } from "../../query-view.tsx";
import { DryRunCard } from "./dry-run-card.tsx";
import { NO_ROUTE, tryPolicy } from "./dry-run-model.ts";
import {
  addRule,
  changeRule,
  isSameSet,
  moveRule,
  parseSetDraft,
  removeRule,
  type SetDraft,
  toSetDraft,
} from "./policy-draft-model.ts";
import { RuleItem } from "./rule-item.tsx";
import { SetFieldsCard } from "./set-fields-card.tsx";

interface PolicySetEditorProps {
  readonly policySet: PolicySet;
  readonly canChange: boolean;
}

export function PolicySetEditor({ policySet, canChange }: PolicySetEditorProps) {
  const [saved, setSaved] = useState(() => toSetDraft(policySet));
  const [draft, setDraft] = useState(saved);
  const [openKey, setOpenKey] = useState<number | null>(null);
  const [route, setRoute] = useState(NO_ROUTE);
  const [moved, setMoved] = useState("");
  const form = useForm(updatePolicySet, [getPolicySet.id, listPolicySets.id], {
    toWords: ({ name }) => `${name} is saved`,
    onDone: () => setSaved(draft),
  });

  const parsed = parseSetDraft(draft);
  const isChanged = !isSameSet(draft, saved);
  const run = parsed.body === null ? null : tryPolicy(parsed.body, route);
  const decidingIndex = run?.state === "decided" ? run.verdict.ruleIndex : null;

  const add = () => {
    setOpenKey(draft.nextKey);
    setDraft(addRule(draft));
  };
  const move = (key: number, by: -1 | 1) => {
    const next = moveRule(draft, key, by);
    setDraft(next);
    setMoved(`Now rule ${next.rules.findIndex((rule) => rule.key === key) + 1} of ${next.rules.length}`);
  };
  const save = () => {
    if (parsed.body !== null) form.send({ params: { policySetId: policySet.id }, body: parsed.body });
  };
  const addButton = canChange && (
    <Button onClick={add} disabled={draft.rules.length >= MAX_RULES_PER_POLICY_SET}>
      <Plus aria-hidden /> Add rule
    </Button>
  );
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_21rem]">
      <div className="flex min-w-0 flex-col gap-5">
        <SetFieldsCard
          draft={draft}
          errors={{ ...form.refused, ...parsed.errors }}
          canChange={canChange}
          onChange={(changes: Partial<SetDraft>) => setDraft({ ...draft, ...changes })}
        />
        <section aria-label="Rules" className="flex flex-col gap-3">
          <div className="flex flex-wrap items-center justify-between gap-2">
            <h2 className="font-semibold">
              Rules <span className="font-normal text-muted">in order: the first that matches decides</span>
            </h2>
            {draft.rules.length > 0 && addButton}
          </div>
          {draft.rules.length === 0 ? (
            <EmptyState icon={<ListPlus />} title="No rule" action={addButton}>
              The default action decides on every route.
            </EmptyState>
          ) : (
            <ol className="flex flex-col gap-2">
              {draft.rules.map((rule, index) => (
                <RuleItem
                  key={rule.key}
                  rule={rule}
                  parsed={parsed.rules.get(rule.key) ?? { ok: false, errors: {} }}
                  number={index + 1}
                  count={draft.rules.length}
                  isOpen={openKey === rule.key}
                  isDeciding={decidingIndex === index}
                  canChange={canChange}
                  onToggle={() => setOpenKey(openKey === rule.key ? null : rule.key)}
                  onChange={(changes) => setDraft(changeRule(draft, rule.key, changes))}
                  onMove={(by) => move(rule.key, by)}
                  onRemove={() => setDraft(removeRule(draft, rule.key))}
                />
              ))}
            </ol>
          )}
          <p role="status" className="sr-only">
            {moved}
          </p>
          {parsed.errors.rules && <p className="text-bad text-xs">{parsed.errors.rules}</p>}
        </section>
        <FormError error={form.error} fields={["name", "description", "defaultLocalPreference"]} />
        {canChange && (
          <div className="flex flex-wrap gap-2">
            <Button look="primary" onClick={save} disabled={!isChanged || parsed.body === null} isBusy={form.isBusy}>
              Save changes
            </Button>
            {isChanged && <Button onClick={() => setDraft(saved)}>Discard</Button>}
          </div>
        )}
      </div>
      <div className="xl:sticky xl:top-6">
        <DryRunCard route={route} onChange={setRoute} run={run} />
      </div>
      <LeaveDialog isChanged={isChanged} />
    </div>
  );
}

/** Whoever leaves with changes that are not saved is asked. */
function LeaveDialog({ isChanged }: { readonly isChanged: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isChanged && current.pathname !== next.pathname,
    enableBeforeUnload: isChanged,
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  return (
    <ConfirmDialog title="Leave without saving?" onClose={blocker.reset} verb="Leave" onConfirm={blocker.proceed}>
      <p>What you changed in this set is lost.</p>
    </ConfirmDialog>
  );
}
