import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { CircleArrowUp } from "lucide-react";
import { useState } from "react";
import { listMachines } from "#schema/api/machines";
import { listRollouts, startRollout } from "#schema/api/rollouts";
import type { Rollout } from "#schema/rollout";
import { LIST_EVERY_MS, LIVE_EVERY_MS, SLOW_EVERY_MS } from "../../api/pace.ts";
import { useCan } from "../../api/session.ts";
import { useList, usePages } from "../../api/use-api.ts";
import { Age } from "../../components/age.tsx";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { QueryView } from "../query-view.tsx";
import { RolloutCard } from "./rollout-card.tsx";
import { countOlder, describeProgress, isMoving, isOpen, ROLLOUT_WORDS } from "./rollout-model.ts";
import type { RolloutSearch } from "./rollout-search.ts";
import { StartRolloutDialog } from "./start-rollout-dialog.tsx";

const route = getRouteApi("/shell/rollouts");

function RolloutsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: { [Key in keyof RolloutSearch]: RolloutSearch[Key] | undefined }) =>
    void navigate({ search: (now) => ({ ...now, ...next }) as RolloutSearch, replace: true });
  const [isLive, setLive] = useState(true);
  const everyMs = isLive ? LIVE_EVERY_MS : SLOW_EVERY_MS;
  const { query, loadMore, isLoadingMore } = usePages(listRollouts, {}, { everyMs, isExact: true });
  const isSomeMoving = query.data?.some(isMoving) ?? true;
  if (isSomeMoving !== isLive) setLive(isSomeMoving);
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  const older = countOlder(machines.data ?? []);
  const canStart = useCan(startRollout);
  const hasOpen = query.data?.some(isOpen) ?? true;
  const start = canStart && !hasOpen && older > 0 && (
    <Button look="primary" onClick={() => change({ start: "rollout" })}>
      <CircleArrowUp aria-hidden /> Roll out
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Roll-outs"
        below={machines.isSuccess ? describeOlder(older) : "Upgrades of agents, a few machines at a time."}
        actions={start}
      />
      <QueryView query={query}>
        {(rollouts) => {
          const shown = rollouts.find(({ id }) => id === search.id) ?? rollouts[0];
          if (shown === undefined) {
            return (
              <EmptyState icon={<CircleArrowUp />} title="No roll-out yet" action={start}>
                When this control plane has a newer agent, machines that allow it can be upgraded from here.
              </EmptyState>
            );
          }
          return (
            <div className="flex flex-col gap-4">
              <RolloutCard key={shown.id} rollout={shown} />
              {rollouts.length > 1 && (
                <Card title="All roll-outs">
                  <ul className="flex flex-col gap-2">
                    {rollouts.map((rollout) => (
                      <RolloutItem key={rollout.id} rollout={rollout} />
                    ))}
                  </ul>
                  {loadMore && (
                    <Button size="small" onClick={loadMore} isBusy={isLoadingMore}>
                      Show more
                    </Button>
                  )}
                </Card>
              )}
            </div>
          );
        }}
      </QueryView>
      {search.start === "rollout" && canStart && !hasOpen && (
        <StartRolloutDialog onClose={() => change({ start: undefined })} />
      )}
    </>
  );
}

const describeOlder = (older: number): string =>
  older === 0
    ? "Every machine that has told its agent runs this control plane's."
    : `${older} ${older === 1 ? "machine runs" : "machines run"} another agent than this control plane's.`;

const RolloutItem = ({ rollout }: { readonly rollout: Rollout }) => {
  const { label, tone } = ROLLOUT_WORDS[rollout.state];
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Link to="/rollouts" search={{ id: rollout.id }} className="font-medium hover:underline">
        Agent {rollout.build.version}, <Age at={rollout.createdAt} />
      </Link>
      <Badge tone={tone}>{label}</Badge>
      <span className="text-muted text-xs">{describeProgress(rollout)}</span>
    </li>
  );
};

export const rolloutsPage = createLazyRoute("/shell/rollouts")({ component: RolloutsPage });
