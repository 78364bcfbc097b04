// What is the same for all meshes of this machine: its NAT, the ports that a router opens for it, the STUN servers it asks.
import type { Endpoint } from "#schema/address";
import type { NatReport, NatSummary, StunServer } from "#schema/nat";
import type { measureLifetime } from "../nat/lifetime.ts";
import { isLifetimeDue } from "../nat/lifetime-plan.ts";
import type { MeasureOptions, NatProber } from "../nat/nat-prober.ts";
import type { PortMapper } from "../net/port-mapper.ts";
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
  /** Measures anew. Null: there is no mesh whose port could be asked from. */
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

/** Servers, addresses and meshes come one after the other when an agent starts. */
const SETTLE_MS = 20;
/** A NAT that was not found out is asked again. */
const RETRY_MS = 60_000;
const LIFETIME_AFTER_MS = 10_000;

export function createMachineNetwork(options: MachineNetworkOptions): MachineNetwork {
  const { portMapper, clock, log, onChanged, ownStunServers } = options;
  const voices = new Map<number, Voice>();
  let stunServers: readonly StunServer[] = [];
  let addresses: readonly string[] = [];
  let nat: NatSummary | null = null;
  let report: NatReport | null = null;
  let lifetimeSeconds: number | null = null;
  let running = new AbortController();
  let cancelStart = () => {};
  let cancelLifetime = () => {};
  let lifetimeMeasuredAtMs: number | null = null;
  let networkChangedAtMs: number | null = null;
  let isStopped = false;
  const servers = () => ownStunServers ?? stunServers;

  const view: ProberView = {
    servers,
    localAddresses: () => addresses,
    known: () => ({
      portMapping: toPortMapping(),
      mappingLifetimeSeconds: lifetimeSeconds,
      checksProblem: options.checksProblem(),
    }),
  };

  function toPortMapping(): NatReport["portMapping"] {
    const { protocols, mappings, problem } = portMapper.state();
    return { protocols: [...protocols], endpoints: mappings.map(({ endpoint }) => endpoint), problem };
  }

  function schedule(afterMs: number): void {
    cancelStart();
    cancelStart = clock.setTimer(afterMs, () => {
      measure().catch((error: unknown) => log.debug("the NAT could not be measured", { error }));
    });
  }

  async function measure(): Promise<NatReport | null> {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    const [voice] = voices.values();
    if (voice === undefined || isStopped || servers().length === 0) return null;
    const onQuick: MeasureOptions["onQuick"] = ({ summary }) => take(summary);
    const prober = options.createProber(voice, view);
    const measured = await prober.measure({ signal, onQuick });
    report = measured;
    scheduleLifetime(prober.discoveryServer(), measured.mapping);
    const { mapping, filtering } = measured;
    if (nat !== null) take({ ...nat, mapping, filtering });
    if (mapping === "unknown") schedule(RETRY_MS);
    return current();
  }

  /** Only where there is a NAT, on sockets of their own, and not while everything else begins. */
  function scheduleLifetime(server: Endpoint | null, mapping: NatReport["mapping"]): void {
    cancelLifetime();
    const times = { measuredAtMs: lifetimeMeasuredAtMs, networkChangedAtMs, nowMs: clock.now() };
    if (server === null || mapping === "none" || mapping === "unknown" || !isLifetimeDue(times)) return;
    const { signal } = running;
    cancelLifetime = clock.setTimer(LIFETIME_AFTER_MS, () => {
      options.measureLifetime(server, signal).then(
        (measured) => {
          lifetimeMeasuredAtMs = clock.now();
          if (!measured.ok) log.debug("a mapping's lifetime could not be measured", { reason: measured.error.message });
          const before = lifetimeSeconds;
          lifetimeSeconds = measured.ok ? measured.value : null;
          if (lifetimeSeconds !== before) onChanged();
        },
        (error: unknown) => log.debug("a mapping's lifetime could not be measured", { error }),
      );
    });
  }

  function take(next: NatSummary): void {
    const isSame = JSON.stringify(next) === JSON.stringify(nat);
    nat = next;
    if (!isSame) onChanged();
  }

  const current = () => (report === null ? null : { ...report, ...view.known() });

  return {
    staticEndpoints: options.staticEndpoints,
    stunServers: servers,
    nat: () => nat,
    report: current,
    keepaliveSeconds: () => toKeepaliveSeconds(lifetimeSeconds),
    mappings: () => portMapper.state().mappings,
    measure,
    setVoice(localPort, client) {
      if (client === null) voices.delete(localPort);
      else voices.set(localPort, { client, localPort });
      portMapper.start([...voices.keys()], onChanged);
      if (nat === null) schedule(SETTLE_MS);
    },
    setStunServers(next) {
      if (JSON.stringify(next) === JSON.stringify(stunServers)) return;
      stunServers = next;
      schedule(SETTLE_MS);
      onChanged();
    },
    setAddresses(next) {
      addresses = next;
    },
    networkChanged() {
      networkChangedAtMs = clock.now();
      // Of another NAT: until it is measured the safe value counts.
      lifetimeSeconds = null;
      portMapper.networkChanged();
      schedule(SETTLE_MS);
    },
    async stop() {
      isStopped = true;
      cancelStart();
      cancelLifetime();
      running.abort();
      await portMapper.stop();
    },
  };
}
