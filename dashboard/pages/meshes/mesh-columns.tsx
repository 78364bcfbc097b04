import { Link } from "@tanstack/react-router";
import { Star } from "lucide-react";
import type { Mesh } from "#schema/mesh";
import { Badge } from "../../components/badge.tsx";
import { StatusDot } from "../../components/status-dot.tsx";
import type { Column } from "../../components/table/columns.ts";
import { formatCount, formatQuantity } from "../../lib/format.ts";
import type { MeshHealth } from "./mesh-health-model.ts";
import type { MeshRow } from "./mesh-list-model.ts";
import { FALLBACK_LABELS } from "./settings/fallback-labels.ts";

export const DefaultStar = () => (
  <Badge tone="accent" title="New machines join it">
    <Star aria-hidden className="fill-current" /> default
  </Badge>
);

export const ReflectorBadge = () => (
  <Badge tone="info" title="Route reflector mode: machines speak BGP with the gateways only">
    RR
  </Badge>
);

const Name = ({ mesh }: { readonly mesh: Mesh }) => (
  <span className="flex items-center gap-2">
    <Link
      to="/meshes/$meshId"
      params={{ meshId: mesh.id }}
      className="min-w-0 truncate font-medium after:absolute after:inset-0 hover:text-accent"
    >
      {mesh.name}
    </Link>
    {mesh.isDefault && <DefaultStar />}
    {mesh.routeReflectorMode && <ReflectorBadge />}
  </span>
);

const Health = ({ health, memberCount }: { readonly health: MeshHealth; readonly memberCount: number }) => (
  <span className="flex items-center gap-2" title={health.label}>
    <StatusDot tone={health.tone} />
    {memberCount === 0 ? (
      <span className="text-muted">no machines</span>
    ) : (
      <span>
        {formatCount(health.online)} of {formatCount(memberCount)} <span className="text-muted">online</span>
      </span>
    )}
  </span>
);

export const MESH_COLUMNS: readonly Column<MeshRow>[] = [
  {
    id: "name",
    header: "Name",
    track: "minmax(10rem, 2fr)",
    isSortable: true,
    cell: ({ mesh }) => <Name mesh={mesh} />,
  },
  {
    id: "cidr",
    header: "Network",
    track: "minmax(9rem, 1.4fr)",
    isSortable: true,
    cell: ({ mesh }) => (
      <span className="block font-mono">
        {mesh.cidr}
        <span className="hidden truncate text-faint text-xs xl:block">{mesh.cidr6}</span>
      </span>
    ),
  },
  {
    id: "machines",
    header: "Machines",
    track: "minmax(8.5rem, 1fr)",
    isSortable: true,
    cell: ({ mesh, health }) => <Health health={health} memberCount={mesh.memberCount} />,
  },
  {
    id: "fallback",
    header: "Without a direct path",
    track: "minmax(9rem, 1fr)",
    from: "lg",
    cell: ({ mesh }) => <span className="text-muted">{FALLBACK_LABELS[mesh.fallback].label}</span>,
  },
  {
    id: "free",
    header: "Free addresses",
    track: "7.5rem",
    from: "lg",
    isSortable: true,
    align: "end",
    cell: ({ mesh }) => formatCount(mesh.availableAddressCount),
  },
];

export const MeshCard = ({ mesh, health }: MeshRow) => (
  <div className="flex flex-col gap-1">
    <Name mesh={mesh} />
    <div className="flex items-center justify-between gap-3">
      <span className="font-mono text-muted">{mesh.cidr}</span>
      <Health health={health} memberCount={mesh.memberCount} />
    </div>
    <span className="text-faint text-xs">
      {formatQuantity(mesh.availableAddressCount, "address", "addresses")} free
    </span>
  </div>
);
