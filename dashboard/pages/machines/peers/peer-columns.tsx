import { ChevronRight } from "lucide-react";
import type { PeerTelemetry } from "#schema/path";
import { Badge } from "../../../components/badge.tsx";
import { Nothing } from "../../../components/layout.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { classNames } from "../../../lib/class-names.ts";
import { formatBitRate, formatMs, formatRatio, formatSeconds } from "../../../lib/format.ts";
import { BGP_WORDS, DOUBT_WORDS, PATH_WORDS, STATUS_WORDS } from "./peer-words.ts";
import { toPeerKey } from "./peers-model.ts";

interface PeerColumnsInput {
  readonly meshNames: ReadonlyMap<string, string>;
  readonly open: string | undefined;
  readonly toggle: (key: string) => void;
}

const State = ({ peer }: { readonly peer: PeerTelemetry }) => {
  const { label, hint, tone } = peer.inDoubt ? DOUBT_WORDS : STATUS_WORDS[peer.status];
  return (
    <span className="inline-flex items-center gap-2" title={hint}>
      <StatusDot tone={tone} isPulsing={peer.inDoubt || peer.status === "connecting"} /> {label}
    </span>
  );
};

const Path = ({ peer }: { readonly peer: PeerTelemetry }) => {
  const { label, hint, tone } = PATH_WORDS[peer.path];
  return (
    <Badge tone={tone} title={hint}>
      {label}
    </Badge>
  );
};

const Latency = ({ peer }: { readonly peer: PeerTelemetry }) =>
  peer.latencyMs === null ? <Nothing label="not measured" /> : formatMs(peer.latencyMs);

const Loss = ({ peer: { lossRatio } }: { readonly peer: PeerTelemetry }) =>
  lossRatio === null ? (
    <Nothing label="not measured" />
  ) : (
    <span className={lossRatio > 0 ? "text-warn" : undefined}>{formatRatio(lossRatio)}</span>
  );

const Traffic = ({ peer: { rxBytesPerSecond, txBytesPerSecond } }: { readonly peer: PeerTelemetry }) => (
  <span className="block whitespace-nowrap text-xs">
    <span className="block">{formatBitRate(rxBytesPerSecond)}</span>
    <span className="block text-muted">{formatBitRate(txBytesPerSecond)}</span>
  </span>
);

export function toPeerColumns({ meshNames, open, toggle }: PeerColumnsInput) {
  /** The whole row opens it, by the button's own area. */
  const name = (peer: PeerTelemetry) => {
    const key = toPeerKey(peer);
    const isOpen = open === key;
    return (
      <div className="min-w-0">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => toggle(key)}
          className="flex min-w-0 max-w-full items-center gap-2 text-left after:absolute after:inset-0"
        >
          <ChevronRight
            aria-hidden
            className={classNames("size-4 shrink-0 text-faint transition-transform", isOpen && "rotate-90")}
          />
          <span className="min-w-0">
            <span className="block truncate font-medium">{peer.name}</span>
            {meshNames.size > 1 && (
              <span className="block truncate text-muted text-xs">{meshNames.get(peer.meshId)}</span>
            )}
          </span>
        </button>
        {/* Not within the button: what it is called stays. */}
        {peer.inDoubt && <p className="truncate pl-6 text-warn text-xs">{DOUBT_WORDS.below}</p>}
      </div>
    );
  };
  const columns: readonly Column<PeerTelemetry>[] = [
    { id: "name", header: "Peer", track: "minmax(8rem, 1.5fr)", isSortable: true, cell: name },
    { id: "status", header: "State", track: "6.5rem", isSortable: true, cell: (peer) => <State peer={peer} /> },
    { id: "path", header: "Path", track: "5.5rem", isSortable: true, cell: (peer) => <Path peer={peer} /> },
    {
      id: "latency",
      header: "Latency",
      track: "5.5rem",
      isSortable: true,
      align: "end",
      cell: (peer) => <Latency peer={peer} />,
    },
    { id: "loss", header: "Loss", track: "4rem", isSortable: true, align: "end", cell: (peer) => <Loss peer={peer} /> },
    {
      id: "handshake",
      header: "Handshake",
      track: "6rem",
      from: "lg",
      isSortable: true,
      align: "end",
      cell: ({ handshakeAgeSeconds: age }) => (age === null ? <Nothing label="never" /> : formatSeconds(age)),
    },
    {
      id: "bgp",
      header: "BGP",
      track: "6.5rem",
      from: "xl",
      cell: ({ bgp }) =>
        bgp.state === "not_applicable" ? (
          <Nothing label="no session" />
        ) : (
          <Badge tone={BGP_WORDS[bgp.state].tone} title={bgp.lastError ?? ""}>
            {BGP_WORDS[bgp.state].label}
          </Badge>
        ),
    },
    {
      id: "traffic",
      header: "In / out",
      track: "6.5rem",
      from: "lg",
      isSortable: true,
      align: "end",
      cell: (peer) => <Traffic peer={peer} />,
    },
  ];
  const card = (peer: PeerTelemetry) => (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-center justify-between gap-3">
        {name(peer)}
        <Path peer={peer} />
      </div>
      <div className="flex justify-between gap-3 pl-6 text-muted">
        <State peer={peer} />
        {peer.latencyMs !== null && (
          <span>
            <Latency peer={peer} /> · <Loss peer={peer} /> loss
          </span>
        )}
      </div>
    </div>
  );
  return { columns, card };
}
