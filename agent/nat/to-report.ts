// From what was observed to what is told: the NAT report, and the part of it that is known first. Pure.
import { type Endpoint, IpAddress } from "#schema/address";
import type { NatReport, NatSummary, StunObservation, StunServer } from "#schema/nat";
import type { StunAnswer } from "../stun/stun-client.ts";
import { addressOf, classifyMapping, type MappingObservation, toNatSummary, toPortPreservation } from "./classify.ts";
import type { ServerObservation } from "./observe-servers.ts";

/** What is known before anything is measured. */
export interface Surroundings {
  readonly servers: readonly StunServer[];
  readonly localAddresses: readonly string[];
  readonly localPort: number;
  /** What others found out: the router's port mapping, the lifetime of a mapping, what keeps checks from working. */
  readonly known: Pick<NatReport, "portMapping" | "mappingLifetimeSeconds" | "checksProblem">;
  readonly at: string;
}

export type Findings = Pick<NatReport, "mapping" | "filtering" | "hairpinning">;

export interface QuickLook {
  /** Its filtering is `unknown`; the kind of a hard mapping may still change. */
  readonly summary: NatSummary;
  /** The socket as the servers see it, each endpoint once. */
  readonly mapped: readonly Endpoint[];
}

export interface Answered extends MappingObservation {
  readonly answer: StunAnswer;
}

export function toNatReport(
  observations: readonly ServerObservation[],
  findings: Findings,
  surroundings: Surroundings,
): NatReport {
  const { at, servers, localPort, known } = surroundings;
  const answered = toAnswered(observations);
  const [ipv4, ipv6] = [answered.filter((one) => !isIpv6(one.mapped)), answered.filter((one) => isIpv6(one.mapped))];
  const addresses = new Set([...ipv4, ...ipv6].map(({ mapped }) => addressOf(mapped)));
  return {
    at,
    udp: { ipv4: ipv4.length > 0, ipv6: ipv6.length > 0 },
    ...findings,
    preservesPort: toPortPreservation(findings.mapping, toDecisive(observations), localPort),
    publicAddresses: [...addresses].map((address) => IpAddress.parse(address)),
    stun: servers.flatMap((server) => toStun(server, observations)),
    ...known,
  };
}

/** Null: not enough is known yet. */
export function toQuickLook(
  observations: readonly ServerObservation[],
  surroundings: Surroundings,
  isComplete: boolean,
): QuickLook | null {
  const mapping = classifyMapping(toDecisive(observations), isLocalIn(surroundings));
  if (mapping === "unknown" && !isComplete) return null;
  const findings: Findings = { mapping, filtering: "unknown", hairpinning: null };
  const mapped = new Set(toAnswered(observations).map((one) => one.mapped));
  return { summary: toNatSummary(toNatReport(observations, findings, surroundings)), mapped: [...mapped] };
}

/** The report has one mapping; where both families answer it is that of IPv4, which is the one with NATs. */
export function toDecisive(observations: readonly ServerObservation[]): Answered[] {
  const answered = toAnswered(observations);
  const ipv4 = answered.filter(({ mapped }) => !isIpv6(mapped));
  return ipv4.length > 0 ? ipv4 : answered;
}

/** A loopback address is seen by a server on this machine only. */
export const isLocalIn =
  ({ localAddresses }: Pick<Surroundings, "localAddresses">) =>
  (address: string): boolean =>
    localAddresses.includes(address) || address === "::1" || address.startsWith("127.");

function toAnswered(observations: readonly ServerObservation[]): Answered[] {
  return observations.flatMap(({ target, answer }) =>
    answer === null ? [] : [{ server: target.endpoint, mapped: answer.mapped, answer }],
  );
}

/** Silence on one family doesn't count where the server answered on the other one. */
function toStun(server: StunServer, observations: readonly ServerObservation[]): StunObservation[] {
  const answers = observations.flatMap(({ target, answer }) => (target.server === server && answer ? [answer] : []));
  if (answers.length === 0) return [{ server, mapped: null, roundTripMs: null }];
  return answers.map(({ mapped, roundTripMs }) => ({ server, mapped, roundTripMs }));
}

const isIpv6 = (endpoint: Endpoint): boolean => endpoint.startsWith("[");
