import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Radar, TriangleAlert } from "lucide-react";
import { getMachineNetwork } from "#schema/api/machine-links";
import type { NatReport } from "#schema/nat";
import { useLiveTelemetry } from "../../../api/live/use-live.ts";
import { SLOW_EVERY_MS } from "../../../api/pace.ts";
import { useReply } from "../../../api/use-api.ts";
import { Age } from "../../../components/age.tsx";
import { Badge } from "../../../components/badge.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { Card, Fact, Facts, Nothing } from "../../../components/layout.tsx";
import { EmptyState, Notice } from "../../../components/states.tsx";
import { formatMs, formatSeconds } from "../../../lib/format.ts";
import { LiveView } from "../live-view.tsx";
import { MeshAddressesCard, OwnAddressesCard } from "./mesh-addresses-card.tsx";
import { FILTERING_LABELS, judgeNat, MAPPING_LABELS, toYesNo } from "./nat-words.ts";

const route = getRouteApi("/shell/machines/$machineId");

function NetworkTab() {
  const { machineId } = route.useParams();
  useLiveTelemetry(machineId);
  const network = useReply(getMachineNetwork, { params: { machineId } }, { everyMs: SLOW_EVERY_MS });
  return (
    <div className="flex flex-col gap-5">
      <MeshAddressesCard machineId={machineId} />
      <LiveView query={network}>
        {({ report }) =>
          report === null ? (
            <EmptyState icon={<Radar />} title="Not measured yet">
              The machine finds out what stands between it and the internet when it starts, and when its network
              changes.
            </EmptyState>
          ) : (
            <Report machineId={machineId} report={report} />
          )
        }
      </LiveView>
    </div>
  );
}

function Report({ machineId, report }: { readonly machineId: string; readonly report: NatReport }) {
  const verdict = judgeNat(report);
  return (
    <div className="flex flex-col gap-5">
      {report.checksProblem && (
        <Notice tone="warn" icon={<TriangleAlert aria-hidden />}>
          {report.checksProblem}
        </Notice>
      )}
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Card
          title="Internet"
          note={
            <>
              measured <Age at={report.at} />
            </>
          }
        >
          <p className="mb-4 flex flex-wrap items-center gap-2">
            <Badge tone={verdict.tone}>{verdict.title}</Badge>
            <span className="text-muted">{verdict.explanation}</span>
          </p>
          <Facts>
            <Fact label="Public addresses">
              {report.publicAddresses.length === 0 ? (
                <Nothing />
              ) : (
                <span className="flex flex-wrap gap-x-3">
                  {report.publicAddresses.map((address) => (
                    <CopyText key={address} text={address} what="public address" />
                  ))}
                </span>
              )}
            </Fact>
            <Fact label="UDP">
              IPv4 {report.udp.ipv4 ? "works" : "does not work"}, IPv6 {report.udp.ipv6 ? "works" : "does not work"}
            </Fact>
            <Fact label="Mapping">{MAPPING_LABELS[report.mapping]}</Fact>
            <Fact label="Filtering">{FILTERING_LABELS[report.filtering]}</Fact>
            <Fact label="Keeps the port">{toYesNo(report.preservesPort)}</Fact>
            <Fact label="Hairpinning">{toYesNo(report.hairpinning)}</Fact>
            <Fact label="Mapping lives">
              {report.mappingLifetimeSeconds === null
                ? "not known"
                : `at least ${formatSeconds(report.mappingLifetimeSeconds)}`}
            </Fact>
          </Facts>
        </Card>
        <div className="flex flex-col gap-5">
          <PortMapping mapping={report.portMapping} />
          <Stun observations={report.stun} />
          <OwnAddressesCard machineId={machineId} />
        </div>
      </div>
    </div>
  );
}

const PROTOCOL_LABELS = { upnp: "UPnP", "nat-pmp": "NAT-PMP", pcp: "PCP" } as const;

const PortMapping = ({ mapping }: { readonly mapping: NatReport["portMapping"] }) => (
  <Card title="Port mapping" note="ports that the router opened when asked">
    <Facts>
      <Fact label="Router offers">
        {mapping.protocols.length === 0 ? "nothing" : mapping.protocols.map((name) => PROTOCOL_LABELS[name]).join(", ")}
      </Fact>
      <Fact label="Opened">
        {mapping.endpoints.length === 0
          ? "none"
          : mapping.endpoints.map((endpoint) => <CopyText key={endpoint} text={endpoint} what="endpoint" />)}
      </Fact>
      {mapping.problem && <Fact label="Why none">{mapping.problem}</Fact>}
    </Facts>
  </Card>
);

const Stun = ({ observations }: { readonly observations: NatReport["stun"] }) => (
  <Card title="STUN servers" isFlush>
    {observations.length === 0 ? (
      <p className="p-4 text-muted">None was asked.</p>
    ) : (
      <ul className="divide-y divide-line">
        {observations.map(({ server, mapped, roundTripMs }, index) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: a server may stand there once for each address family.
            key={`${server} ${index}`}
            className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 px-4 py-2.5"
          >
            <span className="break-all">{server}</span>
            <span className="flex items-baseline gap-3">
              {mapped === null ? (
                <span className="text-muted">no answer</span>
              ) : (
                <CopyText text={mapped} what="endpoint" />
              )}
              {roundTripMs !== null && <span className="text-muted text-xs">{formatMs(roundTripMs)}</span>}
            </span>
          </li>
        ))}
      </ul>
    )}
  </Card>
);

export const networkTab = createLazyRoute("/shell/machines/$machineId/network")({ component: NetworkTab });
