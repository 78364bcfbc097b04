// What a peer's row opens into: the last minutes as charts, and why the path is what it is.
import { useEffect, useRef } from "react";
import { explainMachinePeer } from "#schema/api/machine-links";
import { NAT_WORDS, type NatSummary } from "#schema/nat";
import type { CandidateOutcome, PeerExplanation, PeerTelemetry } from "#schema/path";
import { useLiveTelemetry } from "../../../api/live/use-live.ts";
import { LIVE_EVERY_MS } from "../../../api/pace.ts";
import { useReply } from "../../../api/use-api.ts";
import { Age, Until } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { Fact, Facts } from "../../../components/layout.tsx";
import { Sparkline } from "../../../components/sparkline.tsx";
import { formatBitRate, formatMs, formatRatio } from "../../../lib/format.ts";
import { ENDPOINT_WORDS } from "../endpoints/endpoint-words.ts";
import { LiveView } from "../live-view.tsx";
import { MachineLink } from "../machine-link.tsx";
import { BGP_WORDS, OUTCOME_WORDS } from "./peer-words.ts";
import type { PeerSample } from "./peers-model.ts";

interface PeerDetailProps {
  readonly machineId: string;
  readonly peer: PeerTelemetry;
  readonly history: readonly PeerSample[];
  /** Of the gateway on a transit path. */
  readonly gatewayName: string | undefined;
}

const [LEAST_MS, LEAST_RATIO, LEAST_BYTES] = [5, 0.05, 1_250];

export function PeerDetail({ machineId, peer, history, gatewayName }: PeerDetailProps) {
  const params = { machineId, peerId: peer.machineId };
  useLiveTelemetry(machineId, [peer.machineId]);
  const explanations = useReply(explainMachinePeer, { params }, { everyMs: LIVE_EVERY_MS });
  // The row is news before the explanation is: it is asked for at once.
  const { refetch } = explanations;
  const seen = useRef(peer.path);
  useEffect(() => {
    if (seen.current === peer.path) return;
    seen.current = peer.path;
    void refetch();
  }, [peer.path, refetch]);
  return (
    <div className="flex flex-col gap-4">
      <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
        <Sparkline
          label="Latency"
          samples={history.map(({ latencyMs }) => latencyMs)}
          value={peer.latencyMs === null ? "–" : formatMs(peer.latencyMs)}
          format={formatMs}
          leastTop={LEAST_MS}
        />
        <Sparkline
          label="Loss"
          samples={history.map(({ lossRatio }) => lossRatio)}
          value={peer.lossRatio === null ? "–" : formatRatio(peer.lossRatio)}
          format={formatRatio}
          leastTop={LEAST_RATIO}
        />
        <Sparkline
          label="Received"
          samples={history.map(({ rxBytesPerSecond }) => rxBytesPerSecond)}
          value={formatBitRate(peer.rxBytesPerSecond)}
          format={formatBitRate}
          leastTop={LEAST_BYTES}
        />
        <Sparkline
          label="Sent"
          samples={history.map(({ txBytesPerSecond }) => txBytesPerSecond)}
          value={formatBitRate(peer.txBytesPerSecond)}
          format={formatBitRate}
          leastTop={LEAST_BYTES}
        />
      </div>
      <LiveView query={explanations}>
        {({ items }) => {
          const explanation = items.find(({ meshId }) => meshId === peer.meshId);
          return explanation ? (
            <Explanation explanation={explanation} gatewayName={gatewayName} />
          ) : (
            <p className="text-muted">It is no peer any more.</p>
          );
        }}
      </LiveView>
    </div>
  );
}

interface ExplanationProps extends Pick<PeerDetailProps, "gatewayName"> {
  readonly explanation: PeerExplanation;
}

function Explanation({ explanation, gatewayName }: ExplanationProps) {
  const { bgp, reason, endpoint, gatewayId, localNat, peerNat, since, nextTryAt, candidates, machineId, name } =
    explanation;
  return (
    <div className="grid gap-5 lg:grid-cols-2">
      <section>
        <h2 className="mb-1 font-semibold">Why this path</h2>
        <p className="mb-3">{reason.message}</p>
        <Facts>
          {endpoint && (
            <Fact label="Packets go to">
              <CopyText text={endpoint} what="endpoint" />
            </Fact>
          )}
          {gatewayId && (
            <Fact label="Gateway">
              <MachineLink id={gatewayId} name={gatewayName ?? gatewayId} className="text-accent underline" />
              <span className="block text-muted">decrypts on the way</span>
            </Fact>
          )}
          <Fact label="This machine">{describeNat(localNat)}</Fact>
          <Fact label={name}>{describeNat(peerNat)}</Fact>
          {since && (
            <Fact label="Like this since">
              <Age at={since} />
            </Fact>
          )}
          <Fact label="BGP session">
            {BGP_WORDS[bgp.state].label}
            {bgp.since && (
              <>
                , <Age at={bgp.since} suffix="" />
              </>
            )}
            {bgp.lastError && <span className="block text-muted">{bgp.lastError}</span>}
          </Fact>
          <Fact label="Next try">
            {nextTryAt === null ? "nothing better to try" : <Until at={nextTryAt} past="now" />}
          </Fact>
        </Facts>
        <p className="mt-3">
          <MachineLink id={machineId} name={`Look at ${name}`} className="text-accent underline" />
        </p>
      </section>
      <section>
        <h2 className="mb-1 font-semibold">What was tried</h2>
        {candidates.length === 0 ? (
          <p className="text-muted">The peer has told no endpoint yet.</p>
        ) : (
          <ul className="divide-y divide-line rounded-md border border-line bg-surface">
            {candidates.map((candidate) => (
              <Candidate key={`${candidate.type} ${candidate.endpoint}`} candidate={candidate} />
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

const Candidate = ({
  candidate: { endpoint, type, outcome, roundTripMs, lastTriedAt },
}: {
  readonly candidate: CandidateOutcome;
}) => (
  <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
    <CopyText text={endpoint} what="endpoint" />
    <span className="text-muted text-xs" title={ENDPOINT_WORDS[type].hint}>
      {ENDPOINT_WORDS[type].label}
    </span>
    <span className="ml-auto flex items-center gap-2 text-muted text-xs">
      {roundTripMs !== null && formatMs(roundTripMs)}
      {lastTriedAt && <Age at={lastTriedAt} />}
      <Badge tone={OUTCOME_WORDS[outcome].tone}>{OUTCOME_WORDS[outcome].label}</Badge>
    </span>
  </li>
);

function describeNat(nat: NatSummary | null): string {
  if (nat === null) return "not known yet";
  const way = nat.isUdpOpen ? NAT_WORDS[nat.mapping] : "no UDP gets out";
  return nat.publicAddress ? `${way}, ${nat.publicAddress}` : way;
}
