import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { PlugZap, Waypoints } from "lucide-react";
import { listMachinePeers } from "#schema/api/machine-links";
import { listMachines } from "#schema/api/machines";
import { listMembers } from "#schema/api/members";
import { MachineId } from "#schema/ids";
import type { Machine, Member } from "#schema/machine";
import { isApiError } from "../../../api/api-error.ts";
import { useLiveMeshes, useLiveTelemetry } from "../../../api/live/use-live.ts";
import { LIST_EVERY_MS, LIVE_EVERY_MS } from "../../../api/pace.ts";
import { useList, useReply } from "../../../api/use-api.ts";
import { isAtLeast, useViewport } from "../../../browser/use-viewport.ts";
import { Select } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
import { EmptyState, Notice } from "../../../components/states.tsx";
import { QueryError, QueryView } from "../../query-view.tsx";
import { MapInWords } from "./map-in-words.tsx";
import { layOutMap, type MapFrame } from "./map-layout-model.ts";
import { MapLegend } from "./map-legend.tsx";
import { groupByState, pickFocus, STATE_WORDS, toMeshMap } from "./map-model.ts";
import { MapPicture } from "./map-picture.tsx";

const route = getRouteApi("/shell/meshes/$meshId/map");

const WIDE: MapFrame = { width: 960, height: 560, mostOnRing: 20, mostSites: 10 };
const NARROW: MapFrame = { width: 358, height: 440, mostOnRing: 10, mostSites: 5 };

function MapTab() {
  const { meshId } = route.useParams();
  const members = useList(listMembers, { params: { meshId } }, { everyMs: LIST_EVERY_MS });
  const machines = useList(listMachines, {}, { everyMs: LIST_EVERY_MS });
  return (
    <QueryView query={members}>
      {(all) =>
        all.length === 0 ? (
          <EmptyState icon={<Waypoints />} title="Nothing to draw yet">
            The map shows how the machines of a mesh reach each other. This one has none.
          </EmptyState>
        ) : (
          <QueryView query={machines}>
            {(known) => <MapView meshId={meshId} members={all} machines={known} />}
          </QueryView>
        )
      }
    </QueryView>
  );
}

interface MapViewProps {
  readonly meshId: string;
  readonly members: readonly Member[];
  readonly machines: readonly Machine[];
}

function MapView({ meshId, members, machines }: MapViewProps) {
  const { machine: wantedId } = route.useSearch();
  const frame = isAtLeast(useViewport(), "md") ? WIDE : NARROW;
  const gatewayIds = new Set(machines.filter(({ gateway }) => gateway).map(({ id }) => id as string));
  const focusId = pickFocus(members, gatewayIds, wantedId);
  useLiveMeshes([meshId], { machineId: focusId ?? "" });
  useLiveTelemetry(focusId);
  const peers = useReply(
    listMachinePeers,
    { params: { machineId: focusId ?? "" }, query: { meshId } },
    { everyMs: LIVE_EVERY_MS, enabled: focusId !== null },
  );
  if (focusId === null) return null;
  const told = peers.isError && !isStillTrue(peers.error) ? undefined : peers.data?.items;
  const map = toMeshMap({ meshId, members, machines, focusId, peers: told });
  if (map === null) return null;
  const groups = groupByState(map.others);
  const label = [
    `${map.focus.name} in the middle`,
    ...groups.map(({ state, machines: { length } }) => `${length} ${STATE_WORDS[state].label}`),
  ].join(", ");
  const all = [map.focus, ...map.others];
  return (
    <div className="flex flex-col gap-5">
      <Card isFlush>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-3 border-line border-b px-4 py-3">
          <FocusChoice members={members} focusId={focusId} />
          <MapLegend
            groups={groups}
            hasGateways={all.some(({ isGateway }) => isGateway)}
            hasLoss={map.others.some(({ isLossy }) => isLossy)}
          />
        </div>
        {peers.error && (
          <div className="px-4 pt-4">
            <LinksUnknown error={peers.error} name={map.focus.name} onRetry={() => void peers.refetch()} />
          </div>
        )}
        <MapPicture layout={layOutMap(map, frame)} frame={frame} label={label} />
      </Card>
      {map.others.length === 0 ? (
        <p className="text-muted">It is alone in this mesh.</p>
      ) : (
        <MapInWords focus={map.focus} groups={groups} />
      )}
    </div>
  );
}

/** An answer that did not come says nothing of links; a machine that went away has none that are known. */
const isStillTrue = (error: Error): boolean =>
  !isApiError(error) || (error.code !== "machine_offline" && error.code !== "machine_silent");

function FocusChoice({ members, focusId }: { readonly members: readonly Member[]; readonly focusId: string }) {
  const navigate = route.useNavigate();
  const choose = (text: string) => {
    const chosen = MachineId.safeParse(text);
    void navigate({ search: chosen.success ? { machine: chosen.data } : {}, replace: true, resetScroll: false });
  };
  return (
    <Select
      aria-label="Machine in the middle"
      className="sm:w-60"
      value={focusId}
      onChange={(event) => choose(event.target.value)}
    >
      {members
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .map(({ machineId, name, online }) => (
          <option key={machineId} value={machineId}>
            {name}
            {online ? "" : " (offline)"}
          </option>
        ))}
    </Select>
  );
}

interface LinksUnknownProps {
  readonly error: Error;
  readonly name: string;
  readonly onRetry: () => void;
}

function LinksUnknown({ error, name, onRetry }: LinksUnknownProps) {
  if (isStillTrue(error)) return <QueryError error={error} onRetry={onRetry} />;
  const isOffline = isApiError(error) && error.code === "machine_offline";
  return (
    <Notice tone="info" icon={<PlugZap aria-hidden />}>
      {isOffline
        ? `${name} is not connected, so it can't tell its links. Choose another machine to see that one's.`
        : `${name} is connected and does not answer. It is asked again every few seconds.`}
    </Notice>
  );
}

export const mapTab = createLazyRoute("/shell/meshes/$meshId/map")({ component: MapTab });
