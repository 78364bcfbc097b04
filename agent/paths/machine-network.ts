// What is the same for all meshes of this machine: its NAT, the ports that a router opens for it, the STUN servers it asks.
import type { Endpoint } from "#schema/address";
import type { NatReport, StunServer } from "#schema/nat";
import type { measureLifetime } from "../nat/lifetime.ts";
import { createLifetimeWatch } from "../nat/lifetime-watch.ts";
import type { NatProber } from "../nat/nat-prober.ts";
import { createNatWatch } from "../nat/nat-watch.ts";
import type { PortMapper, PortMapperState } from "../net/port-mapper.ts";
import type { StunClient } from "../stun/stun-client.ts";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import { toKeepaliveSeconds } from "./core/keepalive.ts";
import type { MachineView } from "./path-ports.ts";

export interface MachineNetwork extends MachineView {
  /** As the control plane says; the operator of this machine may have said otherwise. */
  setStunServers(servers: readonly StunServer[]): void;
  setAddresses(addresses: readonly string[]): void;
  networkChanged(): void;
  /** Measures anew, or waits for the measurement that is under way. Null: there is no mesh whose port could be asked from, or no server. */
  measure(): Promise<NatReport | null>;
  stop(): Promise<void>;
}

/** A mesh's way to ask: from WireGuard's port. */
export interface Voice {
  readonly client: StunClient;
  readonly localPort: number;
}

export interface MachineNetworkOptions {
  readonly portMapper: PortMapper;
  readonly createProber: (voice: Voice, about: ProberView) => NatProber;
  readonly measureLifetime: (server: Endpoint, signal: AbortSignal) => ReturnType<typeof measureLifetime>;
  readonly staticEndpoints: readonly Endpoint[];
  /** Null: those of the control plane. */
  readonly ownStunServers: readonly StunServer[] | null;
  readonly checksProblem: () => string | null;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChanged: () => void;
}

export interface ProberView {
  readonly servers: () => readonly StunServer[];
  readonly localAddresses: () => readonly string[];
  readonly known: () => Pick<NatReport, "portMapping" | "mappingLifetimeSeconds" | "checksProblem">;
}

export function createMachineNetwork(options: MachineNetworkOptions): MachineNetwork {
  const { portMapper, clock, log, onChanged, ownStunServers } = options;
  const voices = new Map<number, Voice>();
  let stunServers: readonly StunServer[] = [];
  let addresses: readonly string[] = [];
  const servers = () => ownStunServers ?? stunServers;
  const firstVoice = (): Voice | undefined => [...voices.values()][0];

  const view: ProberView = {
    servers,
    localAddresses: () => addresses,
    known: () => ({
      portMapping: toPortMapping(portMapper.state()),
      mappingLifetimeSeconds: lifetime.seconds(),
      checksProblem: options.checksProblem(),
    }),
  };
  const lifetime = createLifetimeWatch({ measure: options.measureLifetime, clock, log, onChanged });
  const nat = createNatWatch({
    ...{ clock, log, onChanged },
    createProber() {
      const voice = firstVoice();
      return voice === undefined || servers().length === 0 ? null : options.createProber(voice, view);
    },
    onMeasured: ({ mapping }, discoveryServer) => lifetime.natMeasured(mapping, discoveryServer),
  });
  /** What others find out goes on after the measurement. */
  const toCurrent = (report: NatReport | null) => (report === null ? null : { ...report, ...view.known() });

  return {
    staticEndpoints: options.staticEndpoints,
    stunServers: servers,
    nat: nat.summary,
    report: () => toCurrent(nat.report()),
    keepaliveSeconds: () => toKeepaliveSeconds(lifetime.seconds()),
    mappings: () => portMapper.state().mappings,
    measure: async () => toCurrent(await nat.measure()),
    setVoice(localPort, client) {
      const before = firstVoice();
      if (client === null) voices.delete(localPort);
      else voices.set(localPort, { client, localPort });
      portMapper.start([...voices.keys()], onChanged);
      if (firstVoice() !== before) nat.renew();
    },
    setStunServers(next) {
      if (JSON.stringify(next) === JSON.stringify(stunServers)) return;
      stunServers = next;
      nat.renew();
      onChanged();
    },
    setAddresses(next) {
      addresses = next;
    },
    networkChanged() {
      lifetime.networkChanged();
      portMapper.networkChanged();
      nat.renew();
    },
    async stop() {
      nat.stop();
      lifetime.stop();
      await portMapper.stop();
    },
  };
}

const toPortMapping = ({ protocols, mappings, problem }: PortMapperState): NatReport["portMapping"] => ({
  protocols: [...protocols],
  endpoints: mappings.map(({ endpoint }) => endpoint),
  problem,
});
