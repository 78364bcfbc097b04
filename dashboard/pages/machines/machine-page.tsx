import { createLazyRoute, getRouteApi, Outlet } from "@tanstack/react-router";
import { getMachine } from "#schema/api/machines";
import { useLiveMeshes } from "../../api/live/use-live.ts";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useReply } from "../../api/use-api.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { TabLinks } from "../../components/tab-links.tsx";
import { BackLink, toMissing } from "../detail-parts.tsx";
import { QueryView } from "../query-view.tsx";
import { MachineActions } from "./machine-actions.tsx";
import { GatewayBadge } from "./machine-columns.tsx";
import { OnlineState } from "./online-state.tsx";

const route = getRouteApi("/shell/machines/$machineId");

const LIST = { to: "/machines", label: "Machines" } as const;
const onError = toMissing({ ...LIST, code: "machine_not_found", noun: "machine", why: "It may have been removed." });

function MachinePage() {
  const { machineId } = route.useParams();
  const machine = useReply(getMachine, { params: { machineId } }, { everyMs: LIST_EVERY_MS });
  useLiveMeshes(machine.data?.meshes.map(({ meshId }) => meshId) ?? [], { machineId });
  const params = { machineId };
  return (
    <QueryView query={machine} onError={onError}>
      {(found) => (
        <>
          <PageHeader
            name={found.name}
            above={<BackLink {...LIST} />}
            title={
              <>
                {found.name}
                {found.gateway && <GatewayBadge />}
              </>
            }
            below={
              <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
                <OnlineState online={found.online} lastSeenAt={found.lastSeenAt} isLong />
                {found.meshes.map(({ meshId, meshName, address }) => (
                  <span key={meshId} className="inline-flex items-baseline gap-1.5">
                    <CopyText text={address} what={`address in ${meshName}`} />
                    <span className="text-xs">{meshName}</span>
                  </span>
                ))}
              </div>
            }
            actions={<MachineActions machine={found} />}
          />
          <TabLinks
            label={found.name}
            tabs={[
              { to: "/machines/$machineId", params, label: "Overview" },
              { to: "/machines/$machineId/peers", params, label: "Peers" },
              { to: "/machines/$machineId/network", params, label: "Network" },
              { to: "/machines/$machineId/endpoints", params, label: "Endpoints" },
              { to: "/machines/$machineId/routing", params, label: "Routing" },
              { to: "/machines/$machineId/events", params, label: "Events" },
            ]}
          />
          <Outlet />
        </>
      )}
    </QueryView>
  );
}

export const machinePage = createLazyRoute("/shell/machines/$machineId")({ component: MachinePage });
