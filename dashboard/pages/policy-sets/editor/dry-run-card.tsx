import { Badge } from "../../../components/badge.tsx";
import { TextField } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
import { ACTION_WORDS } from "../policy-words.ts";
import type { DryRun, RouteDraft } from "./dry-run-model.ts";

interface DryRunCardProps {
  readonly route: RouteDraft;
  readonly onChange: (route: RouteDraft) => void;
  /** Null: the set is at fault. */
  readonly run: DryRun | null;
}

const FIELDS = [
  { name: "prefix", label: "Prefix", placeholder: "192.168.7.0/24", hint: undefined },
  { name: "asPath", label: "AS path", placeholder: "4200000001", hint: "Newest first. Empty: begins in the mesh." },
  { name: "communities", label: "Communities", placeholder: "65000:100", hint: undefined },
] as const;

export const DryRunCard = ({ route, onChange, run }: DryRunCardProps) => (
  <Card title="Dry run" note="On what you see here, saved or not">
    <div className="flex flex-col gap-4">
      {FIELDS.map(({ name, label, placeholder, hint }) => (
        <TextField
          key={name}
          label={label}
          hint={hint}
          error={run?.state === "refused" ? run.errors[name] : undefined}
          isCode
          value={route[name]}
          placeholder={placeholder}
          onChange={(text) => onChange({ ...route, [name]: text })}
        />
      ))}
      <div role="status" className="border-line border-t pt-4">
        <Outcome run={run} />
      </div>
    </div>
  </Card>
);

function Outcome({ run }: { readonly run: DryRun | null }) {
  if (run === null) return <p className="text-muted">Mend the set first: something in it is not valid.</p>;
  if (run.state === "waiting") return <p className="text-muted">Type a prefix to see what becomes of it.</p>;
  if (run.state === "refused") return <p className="text-muted">This is no route yet.</p>;
  const { action, ruleIndex, results } = run.verdict;
  const { tone } = ACTION_WORDS[action];
  return (
    <div className="flex flex-col gap-2">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={tone}>{action === "accept" ? "accepted" : "rejected"}</Badge>
        {ruleIndex === null ? "No rule matches; the default decides." : `Rule ${ruleIndex + 1} decides.`}
      </p>
      {action === "accept" && (
        <ul className="list-disc pl-5 text-muted">
          {(results.length === 0 ? ["It stays as it is"] : results).map((result) => (
            <li key={result}>{result}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
