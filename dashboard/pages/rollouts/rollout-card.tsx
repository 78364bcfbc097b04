import { Pause, Play, TriangleAlert, X } from "lucide-react";
import { useState } from "react";
import { listMachines } from "#schema/api/machines";
import {
  cancelRollout,
  getRollout,
  listRolloutMachines,
  listRollouts,
  pauseRollout,
  resumeRollout,
} from "#schema/api/rollouts";
import type { Rollout, RolloutMachine } from "#schema/rollout";
import { LIVE_EVERY_MS } from "../../api/pace.ts";
import { useCan } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { Age } from "../../components/age.tsx";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/layout.tsx";
import { Notice } from "../../components/states.tsx";
import type { Column } from "../../components/table/columns.ts";
import { DataTable } from "../../components/table/data-table.tsx";
import { ConfirmChange } from "../form/form-dialog.tsx";
import { useForm } from "../form/use-form.ts";
import { MachineLink } from "../machines/machine-link.tsx";
import { FormError, QueryView } from "../query-view.tsx";
import { describeProgress, isMoving, isOpen, ROLLOUT_WORDS, sortMachines, toMachineWords } from "./rollout-model.ts";

const MAKES_OLD = [listRollouts.id, getRollout.id, listRolloutMachines.id, listMachines.id];

/** How far it is with each machine, while it goes on. */
export function RolloutCard({ rollout }: { readonly rollout: Rollout }) {
  const { label, tone } = ROLLOUT_WORDS[rollout.state];
  const machines = useList(
    listRolloutMachines,
    { params: { rolloutId: rollout.id } },
    isMoving(rollout) ? { everyMs: LIVE_EVERY_MS, isExact: true } : {},
  );
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          Agent {rollout.build.version} <Badge tone={tone}>{label}</Badge>
        </span>
      }
      note={
        <>
          {describeProgress(rollout)}; {rollout.atOnce} at a time; {rollout.startedBy} started it{" "}
          <Age at={rollout.createdAt} />
        </>
      }
      actions={isOpen(rollout) ? <RolloutActions rollout={rollout} /> : undefined}
      isFlush
    >
      {rollout.reason !== null && (
        <div className="p-4">
          <Notice tone="warn" icon={<TriangleAlert aria-hidden />}>
            <p className="break-words">{rollout.reason}</p>
            <p className="text-muted">
              Resume it to go on with the rest; a machine that failed is for the next roll-out.
            </p>
          </Notice>
        </div>
      )}
      <QueryView query={machines}>
        {(all) => (
          <DataTable
            label="Machines of the roll-out"
            rows={sortMachines(all)}
            columns={COLUMNS}
            toKey={({ machineId }) => machineId}
            card={MachineCard}
          />
        )}
      </QueryView>
    </Card>
  );
}

function RolloutActions({ rollout: { id, state } }: { readonly rollout: Rollout }) {
  const [isCancelling, setCancelling] = useState(false);
  const pause = useForm(pauseRollout, MAKES_OLD);
  const resume = useForm(resumeRollout, MAKES_OLD);
  const canChange = useCan(pauseRollout);
  if (!canChange) return null;
  const input = { params: { rolloutId: id } };
  return (
    <>
      <FormError error={pause.error ?? resume.error} />
      {state === "running" ? (
        <Button size="small" isBusy={pause.isBusy} onClick={() => pause.send(input)}>
          <Pause aria-hidden /> Pause
        </Button>
      ) : (
        <Button size="small" look="primary" isBusy={resume.isBusy} onClick={() => resume.send(input)}>
          <Play aria-hidden /> Resume
        </Button>
      )}
      <Button size="small" onClick={() => setCancelling(true)}>
        <X aria-hidden /> Cancel
      </Button>
      {isCancelling && (
        <ConfirmChange
          operation={cancelRollout}
          input={input}
          makesOld={MAKES_OLD}
          words="The roll-out is cancelled"
          title="Cancel the roll-out?"
          verb="Cancel roll-out"
          onClose={() => setCancelling(false)}
        >
          <p>Machines that are upgrading go on. The others keep the agent that they have, until the next roll-out.</p>
        </ConfirmChange>
      )}
    </>
  );
}

const State = ({ machine }: { readonly machine: RolloutMachine }) => {
  const { label, tone } = toMachineWords(machine);
  return <Badge tone={tone}>{label}</Badge>;
};

const Detail = ({ detail }: { readonly detail: string | null }) =>
  detail === null ? null : <span className="min-w-0 break-words text-muted text-xs">{detail}</span>;

const COLUMNS: readonly Column<RolloutMachine>[] = [
  {
    id: "name",
    header: "Machine",
    track: "minmax(9rem, 1fr)",
    cell: ({ machineId, name }) => <MachineLink id={machineId} name={name} isRow />,
  },
  { id: "state", header: "State", track: "8rem", cell: (machine) => <State machine={machine} /> },
  { id: "detail", header: "Why", track: "minmax(12rem, 3fr)", cell: ({ detail }) => <Detail detail={detail} /> },
  { id: "at", header: "Since", track: "6rem", from: "xl", cell: ({ at }) => <Age at={at} /> },
];

const MachineCard = (machine: RolloutMachine) => (
  <div className="flex flex-col gap-1">
    <div className="flex items-center justify-between gap-3">
      <MachineLink id={machine.machineId} name={machine.name} isRow />
      <State machine={machine} />
    </div>
    <Detail detail={machine.detail} />
  </div>
);
