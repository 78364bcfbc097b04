import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { SearchX, Users } from "lucide-react";
import { useCallback, useMemo } from "react";
import { listMachinePeers } from "#schema/api/machine-links";
import type { PeerTelemetry } from "#schema/path";
import { useLiveTelemetry } from "../../../api/live/use-live.ts";
import { LIVE_EVERY_MS } from "../../../api/pace.ts";
import { useReply } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { EmptyState } from "../../../components/states.tsx";
import { DataTable } from "../../../components/table/data-table.tsx";
import { LiveView } from "../live-view.tsx";
import { useMeshNames } from "../use-mesh-names.ts";
import { toPeerColumns } from "./peer-columns.tsx";
import { PeerDetail } from "./peer-detail.tsx";
import { type ChangePeerSearch, PeerFilters } from "./peer-filters.tsx";
import type { PeerSearch } from "./peer-search.ts";
import { countPaths, DEFAULT_PEER_SORT, selectPeers, toPeerKey } from "./peers-model.ts";
import { usePeerHistories } from "./use-peer-histories.ts";

const route = getRouteApi("/shell/machines/$machineId/peers");
const NO_PEERS: readonly PeerTelemetry[] = [];

function PeersTab() {
  const { machineId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change: ChangePeerSearch = useCallback(
    (next) =>
      void navigate({ search: (now) => ({ ...now, ...next }) as PeerSearch, replace: true, resetScroll: false }),
    [navigate],
  );
  useLiveTelemetry(machineId);
  const peers = useReply(listMachinePeers, { params: { machineId } }, { everyMs: LIVE_EVERY_MS });
  const histories = usePeerHistories(peers.data?.items, peers.dataUpdatedAt);
  const meshNames = useMeshNames(machineId);
  const { open } = search;
  // The machine tells every second of a thousand peers: what did not change is left as it is.
  const { columns, card } = useMemo(
    () => toPeerColumns({ meshNames, open, toggle: (key) => change({ open: open === key ? undefined : key }) }),
    [meshNames, open, change],
  );
  const all = peers.data?.items ?? NO_PEERS;
  const rows = useMemo(() => selectPeers(all, search), [all, search]);
  return (
    <LiveView query={peers}>
      {({ items }) => {
        if (items.length === 0) {
          return (
            <EmptyState icon={<Users />} title="No peers">
              Every other machine of its meshes is a peer. It is in no mesh, or alone in it.
            </EmptyState>
          );
        }
        return (
          <div className="flex flex-col gap-3">
            <PeerFilters search={search} counts={countPaths(items)} onChange={change} />
            {rows.length === 0 ? (
              <EmptyState
                icon={<SearchX />}
                title="No peer is like that"
                action={
                  <Button onClick={() => change({ q: undefined, status: undefined, path: undefined })}>Show all</Button>
                }
              />
            ) : (
              <DataTable
                label="Peers"
                rows={rows}
                columns={columns}
                toKey={toPeerKey}
                card={card}
                sort={search.sort ?? DEFAULT_PEER_SORT}
                onSort={(sort) => change({ sort })}
                expansion={(peer) =>
                  open === toPeerKey(peer) ? (
                    <PeerDetail
                      machineId={machineId}
                      peer={peer}
                      history={histories.get(toPeerKey(peer)) ?? []}
                      gatewayName={items.find((other) => other.machineId === peer.gatewayId)?.name}
                    />
                  ) : null
                }
              />
            )}
          </div>
        );
      }}
    </LiveView>
  );
}

export const peersTab = createLazyRoute("/shell/machines/$machineId/peers")({ component: PeersTab });
