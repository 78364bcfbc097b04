// Finds out what stands between this machine and the internet. The mapping is that of WireGuard's port, because the client that is passed
// in speaks from it; what would disturb that port is tried from fresh sockets.
//
//   1  all servers at once, both families                        → a quick look, as soon as two of them answered
//   2  filtering, kind of a hard mapping, hairpinning, together  → the report
import { type Endpoint, isPrivateAddress, parseEndpoint } from "#schema/address";
import { isHardNat, type NatFiltering, type NatReport, type StunServer } from "#schema/nat";
import type { StunClient } from "../stun/stun-client.ts";
import type { Clock } from "../system/clock.ts";
import type { ResolveHost } from "../system/resolve-host.ts";
import type { UdpSockets } from "../system/udp.ts";
import {
  type BehaviourPorts,
  type DiscoveryServer,
  testFiltering,
  testFreshFiltering,
  testHairpinning,
  testMapping,
} from "./behaviour.ts";
import { addressOf, classifyFiltering, classifyMapping, sharpenMapping } from "./classify.ts";
import { observeServers, type ServerObservation } from "./observe-servers.ts";
import {
  type Answered,
  type Findings,
  isLocalIn,
  type QuickLook,
  type Surroundings,
  toDecisive,
  toNatReport,
  toQuickLook,
} from "./to-report.ts";

export interface NatProberPorts {
  /** Speaks from WireGuard's port. */
  readonly client: StunClient;
  /** WireGuard's port: what the NAT preserves or not. */
  readonly localPort: () => number;
  readonly servers: () => readonly StunServer[];
  /** The addresses of this machine's own that lead somewhere; not those of meshes. */
  readonly localAddresses: () => readonly string[];
  readonly known: () => Surroundings["known"];
  readonly resolveHost: ResolveHost;
  readonly udp: UdpSockets;
  readonly clock: Clock;
}

export interface MeasureOptions {
  readonly signal: AbortSignal;
  /** Called once, before the report: when two servers answered, or all that could. */
  readonly onQuick?: (look: QuickLook) => void;
}

export interface NatProber {
  /** Rejects when aborted, or when no socket can be opened. A silent server costs 3 s, filtering by silence another 1.5 s. */
  measure(options: MeasureOptions): Promise<NatReport>;
  /** A server that does RFC 5780, as measureLifetime wants one; null when the newest measurement found none. */
  discoveryServer(): Endpoint | null;
}

export function createNatProber(ports: NatProberPorts): NatProber {
  let discoveryServer: Endpoint | null = null;
  return {
    discoveryServer: () => discoveryServer,
    async measure(options) {
      const { report, discovery } = await measure(ports, options);
      discoveryServer = discovery?.server ?? null;
      return report;
    },
  };
}

interface Measurement {
  readonly report: NatReport;
  readonly discovery: DiscoveryServer | null;
}

async function measure(ports: NatProberPorts, { signal, onQuick }: MeasureOptions): Promise<Measurement> {
  const surroundings: Surroundings = {
    servers: [...new Set(ports.servers())],
    localAddresses: ports.localAddresses(),
    localPort: ports.localPort(),
    known: ports.known(),
    at: new Date(ports.clock.wall()).toISOString(),
  };
  let isQuickDone = false;
  const lookQuickly = (observations: readonly ServerObservation[], isComplete: boolean) => {
    if (isQuickDone || signal.aborted) return;
    const look = toQuickLook(observations, surroundings, isComplete);
    isQuickDone = look !== null;
    if (look !== null) onQuick?.(look);
  };
  const onProgress = (soFar: readonly ServerObservation[]) => lookQuickly(soFar, false);
  const observations = await observeServers({ ...ports, ...surroundings, signal, onProgress });
  lookQuickly(observations, true);
  signal.throwIfAborted();
  const answered = toDecisive(observations);
  const discovery = findDiscoveryServer(answered);
  const findings = await findBehaviour(ports, surroundings, { answered, discovery }, signal);
  signal.throwIfAborted();
  return { report: toNatReport(observations, findings, { ...surroundings, known: ports.known() }), discovery };
}

async function findBehaviour(
  ports: NatProberPorts,
  surroundings: Surroundings,
  { answered, discovery }: { answered: readonly Answered[]; discovery: DiscoveryServer | null },
  signal: AbortSignal,
): Promise<Findings> {
  const isLocal = isLocalIn(surroundings);
  const found = classifyMapping(answered, isLocal);
  const isHard = isHardNat({ mapping: found });
  const behaviour: BehaviourPorts = { udp: ports.udp, clock: ports.clock, signal };
  const isToSharpen = discovery !== null && (found === "unknown" || isHard);
  const [first] = answered;
  // A hard NAT's mapping is there for one server only, so nothing could come back through it.
  const isToHairpin = first !== undefined && found !== "none" && !isHard;
  const [closer, filtering, hairpinning] = await Promise.all([
    isToSharpen ? testMapping(behaviour, discovery, isLocal) : found,
    discovery === null ? ("unknown" as const) : findFiltering(ports.client, behaviour, discovery, answered),
    isToHairpin ? testHairpinning(behaviour, { client: ports.client, mapped: first.mapped }, first.server) : null,
  ]);
  return { mapping: sharpenMapping(found, closer), filtering, hairpinning };
}

async function findFiltering(
  client: StunClient,
  behaviour: BehaviourPorts,
  server: DiscoveryServer,
  answered: readonly Answered[],
): Promise<NatFiltering> {
  const [probe, fresh] = await Promise.all([
    testFiltering(client, server, behaviour.signal),
    testFreshFiltering(behaviour, server),
  ]);
  const other = addressOf(server.otherAddress);
  return classifyFiltering({ probe, fresh, isProbePristine: answered.every((one) => addressOf(one.server) !== other) });
}

/** One that has both another address and another port. A public server gets us to send nothing into private networks. */
function findDiscoveryServer(answered: readonly Answered[]): DiscoveryServer | null {
  for (const { server, answer } of answered) {
    const [own, other] = [parseEndpoint(server), parseEndpoint(answer.otherAddress ?? "")];
    if (own === null || other === null || answer.otherAddress === null) continue;
    const isOther = own.address !== other.address && own.port !== other.port;
    const isAlike =
      own.address.includes(":") === other.address.includes(":") &&
      isPrivateAddress(own.address) === isPrivateAddress(other.address);
    if (isOther && isAlike) return { server, otherAddress: answer.otherAddress };
  }
  return null;
}
