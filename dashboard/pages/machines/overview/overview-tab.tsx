import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { getMachine } from "#schema/api/machines";
import { useReply } from "../../../api/use-api.ts";
import { CopyText } from "../../../components/copy-text.tsx";
import { Card, Fact, Facts } from "../../../components/layout.tsx";
import { formatMoment } from "../../../lib/format.ts";
import { QueryView } from "../../query-view.tsx";
import { TagsCard } from "../tags/tags-card.tsx";
import { AgentCard } from "./agent-card.tsx";
import { GatewayCard } from "./gateway-card.tsx";
import { MachinePoliciesCard } from "./machine-policies-card.tsx";
import { MembershipsCard } from "./memberships-card.tsx";
import { RecentEventsCard } from "./recent-events-card.tsx";

const route = getRouteApi("/shell/machines/$machineId");

function OverviewTab() {
  const { machineId } = route.useParams();
  const machine = useReply(getMachine, { params: { machineId } });
  return (
    <QueryView query={machine}>
      {(found) => (
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <div className="flex flex-col gap-5">
            <MembershipsCard machine={found} />
            <RecentEventsCard machineId={found.id} />
          </div>
          <div className="flex flex-col gap-5">
            <AgentCard agent={found.agent} upToDate={found.upToDate} />
            <TagsCard machine={found} />
            <GatewayCard machine={found} />
            <MachinePoliciesCard machine={found} />
            <Card title="Identity">
              <Facts>
                <Fact label="Enrolled">{formatMoment(found.createdAt)}</Fact>
                <Fact label="Identity key since">{formatMoment(found.identityKeySince)}</Fact>
                <Fact label="Id">
                  <CopyText text={found.id} what="id" className="text-xs" />
                </Fact>
              </Facts>
            </Card>
          </div>
        </div>
      )}
    </QueryView>
  );
}

export const overviewTab = createLazyRoute("/shell/machines/$machineId/")({ component: OverviewTab });
