import { Router, TriangleAlert } from "lucide-react";
import type { Machine } from "#schema/machine";
import type { NatSummary } from "#schema/nat";
import { Badge } from "../../components/badge.tsx";
import { CopyText } from "../../components/copy-text.tsx";
import { Nothing } from "../../components/layout.tsx";
import type { Column } from "../../components/table/columns.ts";
import { MachineLink } from "./machine-link.tsx";
import type { MachineRow } from "./machine-list-model.ts";
import { judgeNatSummary } from "./network/nat-words.ts";
import { OnlineState } from "./online-state.tsx";
import { TagList } from "./tags/tag-list.tsx";

export const GatewayBadge = () => (
  <Badge tone="info" title="It may forward for pairs that have no direct path">
    <Router aria-hidden /> gateway
  </Badge>
);

const Name = ({ machine }: { readonly machine: Machine }) => (
  <span className="flex min-w-0 flex-col gap-1">
    <span className="flex items-center gap-2">
      <MachineLink id={machine.id} name={machine.name} isRow />
      {machine.gateway && <GatewayBadge />}
    </span>
    {machine.tags.length > 0 && <TagList tags={machine.tags} most={SHOWN_TAGS} />}
  </span>
);

const SHOWN_TAGS = 2;
const SHOWN_MESHES = 2;

const Meshes = ({ meshes }: { readonly meshes: Machine["meshes"] }) =>
  meshes.length === 0 ? (
    <Nothing label="in no mesh" />
  ) : (
    <span className="flex min-w-0 flex-col">
      {meshes.slice(0, SHOWN_MESHES).map(({ meshId, meshName, address }) => (
        <span key={meshId} className="flex min-w-0 items-baseline gap-2">
          <CopyText text={address} what="address" />
          <span className="min-w-0 truncate text-muted text-xs">{meshName}</span>
        </span>
      ))}
      {meshes.length > SHOWN_MESHES && (
        <span className="text-muted text-xs">and {meshes.length - SHOWN_MESHES} more</span>
      )}
    </span>
  );

const Nat = ({ nat }: { readonly nat: NatSummary | null }) => {
  if (nat === null) return <Nothing label="not known" />;
  const { tone, title, explanation } = judgeNatSummary(nat);
  return (
    <Badge tone={tone} title={explanation}>
      {title}
    </Badge>
  );
};

const Problems = ({ problems }: { readonly problems: readonly string[] }) => {
  const [first, ...more] = problems;
  if (first === undefined) return <Nothing label="no problems" />;
  return (
    <span className="flex min-w-0 items-center gap-1.5 text-warn" title={problems.join("\n")}>
      <TriangleAlert aria-hidden className="size-3.5 shrink-0" />
      <span className="min-w-0 truncate">{first}</span>
      {more.length > 0 && <span className="shrink-0 text-xs">+{more.length}</span>}
    </span>
  );
};

const Agent = ({ machine: { agent, upToDate } }: { readonly machine: Machine }) => {
  if (agent === null) return <Nothing label="not known" />;
  return (
    <span className={upToDate === false ? "text-warn" : undefined} title={upToDate === false ? OLDER : undefined}>
      {agent.agentVersion}
    </span>
  );
};
const OLDER = "Another agent than this control plane hands out";

export const MACHINE_COLUMNS: readonly Column<MachineRow>[] = [
  {
    id: "name",
    header: "Name",
    track: "minmax(10rem, 1.6fr)",
    isSortable: true,
    cell: ({ machine }) => <Name machine={machine} />,
  },
  {
    id: "seen",
    header: "Seen",
    track: "7.5rem",
    isSortable: true,
    cell: ({ machine }) => <OnlineState online={machine.online} lastSeenAt={machine.lastSeenAt} />,
  },
  {
    id: "address",
    header: "Addresses",
    track: "minmax(11rem, 1.4fr)",
    isSortable: true,
    cell: ({ machine }) => <Meshes meshes={machine.meshes} />,
  },
  {
    id: "nat",
    header: "NAT",
    track: "5.5rem",
    from: "xl",
    isSortable: true,
    cell: ({ nat }) => <Nat nat={nat} />,
  },
  {
    id: "agent",
    header: "Agent",
    track: "5rem",
    from: "xl",
    isSortable: true,
    cell: ({ machine }) => <Agent machine={machine} />,
  },
  {
    id: "problems",
    header: "Problems",
    track: "minmax(9rem, 1.2fr)",
    isSortable: true,
    cell: ({ problems }) => <Problems problems={problems} />,
  },
];

export const MachineCard = ({ machine, problems }: MachineRow) => (
  <div className="flex flex-col gap-1">
    <div className="flex items-center justify-between gap-3">
      <Name machine={machine} />
      <OnlineState online={machine.online} lastSeenAt={machine.lastSeenAt} />
    </div>
    {machine.meshes.length > 0 && <Meshes meshes={machine.meshes} />}
    {problems.length > 0 && <Problems problems={problems} />}
  </div>
);
