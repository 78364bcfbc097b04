// The tests of RFC 5780 that need more than one plain binding: filtering (section 4.4), the kind of a hard mapping (4.3), hairpinning (4.5).
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";
import type { NatMapping } from "#schema/nat";
import { parseStun, renderStun } from "../stun/codec.ts";
import type { BindingOptions, StunClient, StunOutcome } from "../stun/stun-client.ts";
import type { Clock } from "../system/clock.ts";
import { createTransactionId } from "../system/stun-crypto.ts";
import type { UdpSockets } from "../system/udp.ts";
import {
  addressOf,
  classifyMapping,
  type FilteringOutcome,
  type FilteringTest,
  type MappingObservation,
} from "./classify.ts";
import { withFreshClient } from "./fresh-client.ts";

/** The server has answered just now, so silence is the NAT's: three requests are enough. */
const FILTERED_AFTER_MS = 1_500;
const NO_HAIRPIN_AFTER_MS = 1_000;

export interface BehaviourPorts {
  readonly udp: UdpSockets;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A server that answers from two addresses and two ports. */
export interface DiscoveryServer {
  readonly server: Endpoint;
  readonly otherAddress: Endpoint;
}

export async function testFiltering(
  client: StunClient,
  { server }: DiscoveryServer,
  signal: AbortSignal,
): Promise<FilteringTest> {
  const test = async (options: BindingOptions) => {
    const outcome = await client.ask(server, { ...options, signal, timeoutMs: FILTERED_AFTER_MS });
    return toFilteringOutcome(outcome, server);
  };
  const [fromOtherAddress, fromOtherPort] = await Promise.all([
    test({ changeAddress: true, changePort: true }),
    test({ changePort: true }),
  ]);
  return { fromOtherAddress, fromOtherPort };
}

/** The same from a socket that has sent to nobody but this server. */
export function testFreshFiltering(ports: BehaviourPorts, server: DiscoveryServer): Promise<FilteringTest> {
  return withFreshClient(ports, async (client) => {
    await client.ask(server.server, { signal: ports.signal });
    return testFiltering(client, server, ports.signal);
  });
}

/** A server that answers from where it was asked doesn't know CHANGE-REQUEST, whatever it claims. */
function toFilteringOutcome(outcome: StunOutcome, server: Endpoint): FilteringOutcome {
  if (outcome.kind === "silent") return "silent";
  return outcome.kind === "answered" && outcome.answer.from !== server ? "answered" : "untested";
}

/** From a fresh socket to the server, to the same port of its other address, and to the other port there. */
export function testMapping(
  ports: BehaviourPorts,
  { server, otherAddress }: DiscoveryServer,
  isLocalAddress: (address: string) => boolean,
): Promise<NatMapping> {
  const port = parseEndpoint(server)?.port ?? 0;
  const targets = [server, renderEndpoint({ address: addressOf(otherAddress), port }), otherAddress];
  return withFreshClient(ports, async (client) => {
    const observed = await Promise.all(targets.map((target) => observe(client, target, ports.signal)));
    return classifyMapping(observed.flat(), isLocalAddress);
  });
}

async function observe(client: StunClient, server: Endpoint, signal: AbortSignal): Promise<MappingObservation[]> {
  const answer = await client.binding(server, { signal });
  return answer === null ? [] : [{ server, mapped: answer.mapped }];
}

/**
 * Whether a packet to a public endpoint of ours comes back in: from the probe to a fresh socket, which first sends the other way, so that
 * filtering doesn't hide it. Null when the fresh socket has no public endpoint.
 */
export async function testHairpinning(
  ports: BehaviourPorts,
  probe: { readonly client: StunClient; readonly mapped: Endpoint },
  server: Endpoint,
): Promise<boolean | null> {
  const { signal } = ports;
  const arrived = new AbortController();
  const onOther = (packet: Buffer) => {
    if (parseStun(packet)?.class === "request") arrived.abort();
  };
  return withFreshClient({ ...ports, onOther }, async (client) => {
    const own = await client.binding(server, { signal });
    if (own === null) return null;
    const opening = { class: "request", transactionId: createTransactionId(), attributes: {} } as const;
    client.socket.send(renderStun(opening), probe.mapped);
    const end = AbortSignal.any([signal, arrived.signal]);
    const answered = await probe.client.ask(own.mapped, { signal: end, timeoutMs: NO_HAIRPIN_AFTER_MS });
    return arrived.signal.aborted || answered.kind !== "silent";
  });
}
