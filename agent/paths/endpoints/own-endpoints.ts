// This machine's endpoints in one mesh: asks STUN servers from WireGuard's port, and keeps what routers and peers say.
import type { Endpoint } from "#schema/address";
import type { Candidate } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { NatSummary, StunServer } from "#schema/nat";
import type { ObservedEndpoint } from "#schema/path";
import { findTargets } from "../../nat/targets.ts";
import { type LocalAddress, toHostCandidates } from "../../net/local-addresses.ts";
import { MAPPING_PROTOCOLS } from "../../net/port-mapping/mapping-protocol.ts";
import type { StunClient } from "../../stun/stun-client.ts";
import type { Clock } from "../../system/clock.ts";
import type { ResolveHost } from "../../system/resolve-host.ts";
import { createEndpointRegistry } from "./endpoint-registry.ts";

export interface OwnEndpoints {
  candidates(): Candidate[];
  list(meshId: MeshId): ObservedEndpoint[];
  setAddresses(addresses: readonly LocalAddress[]): void;
  /** All that a router has opened for this mesh's port, by the protocol that it did so. */
  setMapped(mappings: readonly { readonly protocol: string; readonly endpoint: Endpoint }[]): void;
  notePeerObserved(by: MachineId, endpoint: Endpoint): void;
  noteMeshObserved(by: MachineId, endpoint: Endpoint): void;
  /** Asks STUN servers, unless that was done a moment ago. */
  refresh(): void;
  networkChanged(): void;
}

export interface OwnEndpointsOptions {
  readonly listenPort: number;
  readonly staticEndpoints: readonly Endpoint[];
  readonly clock: Clock;
  readonly stun: Pick<StunClient, "binding">;
  readonly servers: () => readonly StunServer[];
  readonly resolveHost: ResolveHost;
  readonly nat: () => NatSummary | null;
  /** `candidates()` is another list. */
  readonly onChanged: () => void;
}

/** Under the 30 s after which common NATs forget: what is older may be wrong. */
const FRESH_MS = 20_000;
/** Two servers that agree are enough; asking more would only load them. */
const SERVERS_ASKED = 2;
const OBSERVED: readonly Candidate["type"][] = ["peer_observed", "mesh_observed"];

export function createOwnEndpoints(options: OwnEndpointsOptions): OwnEndpoints {
  const { listenPort, clock, stun } = options;
  const registry = createEndpointRegistry();
  let askedAtMs: number | null = null;
  let told = "";
  let localAddresses: readonly string[] = [];
  registry.set({ type: "static", observedBy: null }, options.staticEndpoints, clock.now());

  const candidates = () => registry.candidates(options.nat(), clock.now());
  const isKnown = (endpoint: Endpoint) =>
    candidates().some((one) => one.endpoint === endpoint && !OBSERVED.includes(one.type));
  function settle(): void {
    const text = JSON.stringify(candidates());
    if (text === told) return;
    told = text;
    options.onChanged();
  }

  async function ask(): Promise<void> {
    const asked = options.servers().slice(0, SERVERS_ASKED);
    await Promise.all(asked.map(askServer));
  }

  async function askServer(server: StunServer): Promise<void> {
    const targets = await findTargets(server, options.resolveHost, localAddresses);
    const answers = await Promise.all(targets.map(({ endpoint }) => stun.binding(endpoint)));
    const mapped = answers.flatMap((answer) => (answer === null ? [] : [answer.mapped]));
    registry.set({ type: "stun", observedBy: server }, mapped, clock.now());
    settle();
  }

  return {
    candidates,
    list: (meshId) => registry.list(meshId, clock.now(), clock.wall),
    setAddresses(addresses) {
      localAddresses = addresses.map(({ address }) => address);
      const hosts = toHostCandidates(addresses, listenPort).map(({ endpoint }) => endpoint);
      registry.set({ type: "host", observedBy: null }, hosts, clock.now());
      settle();
    },
    setMapped(mappings) {
      for (const protocol of MAPPING_PROTOCOLS) {
        const endpoints = mappings.filter((one) => one.protocol === protocol).map(({ endpoint }) => endpoint);
        registry.set({ type: "port_mapped", observedBy: protocol }, endpoints, clock.now());
      }
      settle();
    },
    notePeerObserved(by, endpoint) {
      // Peers see a machine behind a NAT where STUN servers do; where there are none, they are what tells.
      if (isKnown(endpoint)) return;
      registry.note({ type: "peer_observed", observedBy: by }, endpoint, clock.now());
      settle();
    },
    noteMeshObserved(by, endpoint) {
      registry.note({ type: "mesh_observed", observedBy: by }, endpoint, clock.now());
      settle();
    },
    refresh() {
      const isFresh = askedAtMs !== null && clock.now() - askedAtMs < FRESH_MS;
      if (isFresh || options.servers().length === 0) return;
      askedAtMs = clock.now();
      // A server that does not answer is none of our failures: the next round asks again.
      ask().catch(() => undefined);
    },
    networkChanged() {
      registry.forgetSeen(clock.now());
      askedAtMs = null;
      settle();
    },
  };
}
