import type { MachineRoute } from "#schema/api/machine-routing";
import { Age } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { Nothing } from "../../../components/layout.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { MachineLink } from "../machine-link.tsx";
import { describeOrigin, judgeRoute } from "./routing-model.ts";

const State = ({ route }: { readonly route: MachineRoute }) => {
  const { label, tone } = judgeRoute(route);
  return (
    <span className="block min-w-0">
      <Badge tone={tone}>{label}</Badge>
      {route.filterReason && (
        <span className="mt-0.5 block break-words text-muted text-xs">{route.filterReason.message}</span>
      )}
    </span>
  );
};

const Origin = ({ route }: { readonly route: MachineRoute }) =>
  route.origin === null || route.source.kind === "own" ? (
    <span className="text-muted">{describeOrigin(route)}</span>
  ) : (
    <MachineLink id={route.origin.machineId} name={route.origin.name} />
  );

export const toRouteColumns = (meshNames: ReadonlyMap<string, string>): readonly Column<MachineRoute>[] => [
  {
    id: "prefix",
    header: "Prefix",
    track: "minmax(10rem, 1.4fr)",
    cell: ({ prefix, meshId }) => (
      <span className="block min-w-0">
        <span className="block break-all font-mono">{prefix}</span>
        {meshNames.size > 1 && <span className="block truncate text-muted text-xs">{meshNames.get(meshId)}</span>}
      </span>
    ),
  },
  { id: "origin", header: "Behind", track: "minmax(8rem, 1fr)", cell: (route) => <Origin route={route} /> },
  {
    id: "hop",
    header: "Next hop",
    track: "minmax(8rem, 1fr)",
    from: "lg",
    cell: ({ nextHop }) =>
      nextHop === null ? <Nothing label="itself" /> : <span className="break-all font-mono text-xs">{nextHop}</span>,
  },
  {
    id: "path",
    header: "AS path",
    track: "minmax(6rem, 1fr)",
    from: "xl",
    cell: ({ asPath }) =>
      asPath.length === 0 ? (
        <Nothing label="of this mesh" />
      ) : (
        <span className="break-words font-mono text-xs">{asPath.join(" ")}</span>
      ),
  },
  {
    id: "preference",
    header: "Preference",
    track: "5.5rem",
    from: "lg",
    align: "end",
    cell: ({ localPreference }) => localPreference ?? <Nothing />,
  },
  { id: "state", header: "State", track: "minmax(8rem, 1.4fr)", cell: (route) => <State route={route} /> },
  { id: "since", header: "Since", track: "6.5rem", from: "lg", cell: ({ since }) => <Age at={since} /> },
];

export const RouteCard = (route: MachineRoute) => (
  <div className="flex flex-col gap-1">
    <div className="flex items-start justify-between gap-3">
      <span className="break-all font-mono">{route.prefix}</span>
      <Age at={route.since} />
    </div>
    <span>
      behind <Origin route={route} />
    </span>
    <State route={route} />
  </div>
);
