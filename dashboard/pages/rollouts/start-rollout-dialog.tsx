import { useState } from "react";
import { listMachines } from "#schema/api/machines";
import { listRollouts, startRollout } from "#schema/api/rollouts";
import type { Machine } from "#schema/machine";
import { ALLOW_LINE, MAX_AT_ONCE, toUpgradeLine } from "#schema/rollout";
import { useList } from "../../api/use-api.ts";
import { CopyBlock } from "../../components/copy-text.tsx";
import { Choice, SelectField, TextField } from "../../components/field.tsx";
import { FormDialog } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { listNames, planUpgrade } from "./rollout-model.ts";

type Pace = "one" | "several";

export function StartRolloutDialog({ onClose }: { readonly onClose: () => void }) {
  const machines = useList(listMachines, {});
  const { ready, unwilling, tooOld } = planUpgrade(machines.data ?? []);
  const [chosen, setChosen] = useState("all");
  const [pace, setPace] = useState<Pace>("one");
  const [several, setSeveral] = useState("5");
  const form = useForm(startRollout, [listRollouts.id], { onClose, toWords: () => "The roll-out has begun" });
  const atOnce = pace === "one" ? 1 : Number(several);
  const isPaceRight = Number.isInteger(atOnce) && atOnce >= 1 && atOnce <= MAX_AT_ONCE;
  const body = { atOnce, ...(chosen === "all" ? {} : { machineIds: [chosen] }) };
  return (
    <FormDialog
      title="Roll out this control plane's agent"
      description="Each machine replaces its agent by itself. Tunnels and routes go on meanwhile, and no packet is lost."
      form={form}
      verb="Start"
      isReady={ready.length > 0 && isPaceRight}
      onSubmit={() => form.send({ body } as Parameters<typeof form.send>[0])}
      onClose={onClose}
    >
      <SelectField label="Machines" value={chosen} onChange={setChosen} disabled={ready.length === 0}>
        <option value="all">
          {ready.length === 0 ? "There is none that can be told from here" : `All that allow it (${ready.length})`}
        </option>
        {ready.map(({ id, name }) => (
          <option key={id} value={id}>
            Only {name}
          </option>
        ))}
      </SelectField>
      <Choice<Pace>
        legend="At a time"
        value={pace}
        onChange={setPace}
        options={[
          { value: "one", label: "One machine", hint: "The next one begins when it has come back." },
          { value: "several", label: "Several machines", hint: "When one of them fails, the others still go on." },
        ]}
      />
      {pace === "several" && (
        <TextField
          label="How many"
          inputMode="numeric"
          value={several}
          onChange={setSeveral}
          error={isPaceRight ? null : `must be a number from 1 to ${MAX_AT_ONCE}`}
        />
      )}
      <ul className="list-disc space-y-1 pl-5 text-muted">
        <li>A machine that is not connected holds up nobody: it is upgraded when it is back.</li>
        <li>When one fails, its former agent is back, the roll-out is paused, and the rest keep what they have.</li>
      </ul>
      <Skipped
        machines={unwilling}
        why="does not allow upgrades from here"
        verb="To allow it, run there"
        line={ALLOW_LINE}
      />
      <Skipped
        machines={tooOld}
        why="has an agent from before roll-outs"
        verb="To upgrade it by hand, run there"
        line={toUpgradeLine(window.location.origin)}
      />
    </FormDialog>
  );
}

interface SkippedProps {
  readonly machines: readonly Machine[];
  readonly why: string;
  readonly verb: string;
  readonly line: string;
}

const Skipped = ({ machines, why, verb, line }: SkippedProps) =>
  machines.length === 0 ? null : (
    <div className="flex flex-col gap-2">
      <p className="text-muted">
        Left out: <span className="text-ink">{listNames(machines)}</span>.{" "}
        {machines.length === 1 ? `It ${why}.` : `Each ${why}.`} {verb}:
      </p>
      <CopyBlock text={line} what="command" />
    </div>
  );
