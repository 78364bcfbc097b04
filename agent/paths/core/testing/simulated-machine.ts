// One end of a pair: a path machine, what the runner does for it, and its WireGuard, on a simulated network.
import { type Endpoint, renderEndpoint } from "#schema/address";
import type { Candidate } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import type { NatSummary } from "#schema/nat";
import { toKeepalive } from "../keepalive.ts";
import { createPath, nextWakeMs, stepPath } from "../path-machine.ts";
import type { LocalFacts, PathAction, PathEvent, PathState, PeerFacts } from "../path-state.ts";
import { toSurroundings } from "../surroundings.ts";
import { toTraffic } from "../to-traffic.ts";
import type { Host, SimulatedNetwork } from "./simulated-network.ts";
import {
  createSimulatedWireguard,
  type Sealed,
  type SealedData,
  type SimulatedWireguard,
} from "./simulated-wireguard.ts";
import type { VirtualClock } from "./virtual-clock.ts";

interface Check {
  readonly kind: "check" | "answer";
  readonly id: number;
  readonly isNominated: boolean;
}
export type Packet = Check | Sealed;

/** The control plane and the relay, as one end sees them. */
export interface Services {
  punch(kind: "checks" | "birthday"): void;
  requestRelay(): void;
  requestTransit(gatewayIds: readonly MachineId[]): void;
  /** This machine's facts are others. */
  tell(facts: PeerFacts): void;
  relaySend(packet: Sealed): void;
  leaveRelay(): void;
}

export interface SimulatedMachine {
  readonly host: Host;
  readonly wireguard: SimulatedWireguard;
  state(): PathState;
  dispatch(event: PathEvent): void;
  takeFacts(peer: PeerFacts): void;
  facts(): PeerFacts;
  /** The relay has a connection of this machine. */
  openRelay(): void;
  hasRelay(): boolean;
  endRelay(code: string, message: string): void;
  takeRelayed(packet: Sealed): void;
  /** Its address, LAN or gate was changed. */
  moved(): void;
  /** A stopped agent does nothing; its WireGuard goes on. */
  setStopped(isStopped: boolean): void;
  readonly log: { readonly atMs: number; readonly event: string; readonly action: PathAction }[];
}

export interface MachineOptions {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly host: Host;
  readonly peerId: MachineId;
  readonly isControlling: boolean;
  readonly isEager: boolean;
  readonly fallback: LocalFacts["fallback"];
  readonly peerName: string;
  readonly services: () => Services;
  readonly onData: (packet: SealedData) => void;
  /** After every step. */
  readonly inspect: (state: PathState, before: PathState, event: PathEvent) => void;
}

const PORT = 51_820;
const LOOPBACK = renderEndpoint({ address: "127.0.0.1", port: 40_000 });
const STUN_SERVER = renderEndpoint({ address: "203.0.113.250", port: 3_478 });
const LOOK_MS = 1_000;
const SETTLED_MS = 1_500;
const WRITE_MS = 30;

export function createSimulatedMachine(options: MachineOptions): SimulatedMachine {
  const { clock, network, host, services } = options;
  const pending = new Map<number, { endpoint: Endpoint; sentAtMs: number }>();
  const log: SimulatedMachine["log"] = [];
  const waiting: Sealed[] = [];
  let local = toLocal();
  let isRelayOpen = false;
  let isStopped = false;
  let appliedVersion = -1;
  let appliedKeepalive = 0;
  let appliedAtMs = clock.now();
  let seen = { sent: 0, received: 0 };
  let checkId = 0;
  let cancelWake = () => {};
  let lastStunMs = Number.NEGATIVE_INFINITY;
  const wireguard = createSimulatedWireguard(clock, transmit, options.onData);
  let state = createPath(
    {
      ...{ peerId: options.peerId, isControlling: options.isControlling, isEager: options.isEager, local },
      ...{ peer: { candidates: [], nat: null, answersChecks: true }, path: { kind: "none" } },
    },
    clock.now(),
  );
  state = { ...state, version: 1 };

  function toLocal(): LocalFacts {
    const surroundings = toSurroundings([{ interfaceName: "eth0", address: host.address, prefixLength: 24 }]);
    const { fallback } = options;
    return { surroundings, nat: toNat(), canCheck: true, fallback, keepaliveSeconds: 25 };
  }
  function toNat(): NatSummary {
    const { mapping, filtering, isUdpBlocked } = host.gate.kind;
    const publicAddress = host.gate.publicAddress() as NatSummary["publicAddress"];
    return { mapping, filtering, isUdpOpen: !isUdpBlocked, ...(publicAddress === undefined ? {} : { publicAddress }) };
  }

  function facts(): PeerFacts {
    const own = renderEndpoint({ address: host.address, port: PORT });
    const candidates: Candidate[] = [{ type: "host", endpoint: own }];
    // What a STUN server sees of a hard NAT is true for nobody else.
    const mapped = host.gate.kind.mapping === "endpoint-independent" ? host.gate.out(own, STUN_SERVER) : null;
    if (mapped !== null) candidates.push({ type: "stun", endpoint: mapped });
    return { candidates, nat: toNat(), answersChecks: true };
  }
  function refreshStun(): void {
    if (clock.now() - lastStunMs < 5_000) return;
    lastStunMs = clock.now();
    const next = toLocal();
    if (JSON.stringify(next.nat) !== JSON.stringify(local.nat)) {
      local = { ...next, surroundings: local.surroundings };
      clock.after(100, () => dispatch({ type: "facts", peer: state.peer, local, isEager: state.isEager }));
    }
    services().tell(facts());
  }

  function dispatch(event: PathEvent): void {
    if (isStopped) return;
    const before = state;
    const step = stepPath(state, event, clock.now());
    state = step.state;
    options.inspect(state, before, event);
    for (const action of step.actions) perform(action, event.type);
    settle();
  }

  function settle(): void {
    cancelWake();
    const nowMs = clock.now();
    const wakeMs = nextWakeMs(state, nowMs);
    if (wakeMs !== null && wakeMs <= nowMs) throw new Error(`the next wake-up is not in the future: ${wakeMs - nowMs}`);
    if (wakeMs !== null) cancelWake = clock.after(wakeMs - nowMs, () => dispatch({ type: "tick" }));
    const keepaliveSeconds = toKeepalive(state, nowMs);
    if (state.version === appliedVersion && keepaliveSeconds === appliedKeepalive) return;
    clock.after(WRITE_MS, apply);
  }
  function apply(): void {
    if (isStopped) return;
    appliedKeepalive = toKeepalive(state, clock.now());
    if (state.version !== appliedVersion) {
      appliedVersion = state.version;
      appliedAtMs = clock.now();
      wireguard.setEndpoint(state.path.kind === "direct" ? state.path.endpoint : LOOPBACK);
    }
    wireguard.setKeepalive(appliedKeepalive);
  }

  function perform(action: PathAction, event: string): void {
    log.push({ atMs: clock.now(), event, action });
    switch (action.type) {
      case "send_checks":
        for (const endpoint of action.endpoints) check(endpoint, action.isNominated);
        return;
      case "request_punch":
        services().punch(action.kind);
        return;
      case "ask_turn":
        clock.after(0, () => dispatch({ type: "birthday_turn" }));
        return;
      case "open_ports":
        check(action.remote, false);
        return;
      case "guess_ports":
        guess(action.address);
        return;
      case "request_relay":
        services().requestRelay();
        return;
      case "close_relay":
        isRelayOpen = false;
        services().leaveRelay();
        return;
      case "request_transit":
        services().requestTransit(action.gatewayIds);
        return;
      case "refresh_stun":
        refreshStun();
        return;
    }
  }

  function check(endpoint: Endpoint, isNominated: boolean): void {
    const id = checkId++;
    pending.set(id, { endpoint, sentAtMs: clock.now() });
    network.send(host, PORT, endpoint, { kind: "check", id, isNominated } satisfies Check);
  }
  /** Half a second of guesses, of which the one that hits is simulated. */
  function guess(address: string): void {
    clock.after(500, () => {
      const peer = network.hosts.find(({ gate }) => gate.publicAddress() === address);
      const towards = peer?.gate.mappedTowards(
        host.gate.kind.mapping === "none" ? host.address : host.gate.publicAddress(),
      );
      for (const endpoint of towards ?? []) check(endpoint, false);
    });
  }

  /** What WireGuard sends. */
  function transmit(packet: Sealed, to: Endpoint): void {
    if (to !== LOOPBACK) {
      network.send(host, PORT, to, packet);
      return;
    }
    if (isStopped) return;
    if (state.path.kind === "direct") network.send(host, PORT, state.path.endpoint, packet);
    else if (isRelayOpen) services().relaySend(packet);
    else if (waiting.push(packet) > 50) waiting.shift();
    dispatch({ type: "loopback_packet" });
  }

  host.receive = (received, from) => {
    const packet = received as Packet;
    if (!("id" in packet)) {
      wireguard.receive(packet, from);
      return;
    }
    if (isStopped) return;
    if (packet.kind === "check") {
      if (appliedVersion < 0) return;
      network.send(host, PORT, from, { ...packet, kind: "answer" });
      dispatch({ type: "check_received", endpoint: from, isNominated: packet.isNominated });
      return;
    }
    const sent = pending.get(packet.id);
    if (sent === undefined || sent.endpoint !== from || !pending.delete(packet.id)) return;
    dispatch({ type: "answered", endpoint: from, roundTripMs: clock.now() - sent.sentAtMs });
  };

  function look(): void {
    clock.after(LOOK_MS, look);
    if (isStopped) return;
    const counters = wireguard.counters();
    const traffic = toTraffic(counters.sent - seen.sent, counters.received - seen.received);
    seen = counters;
    if (traffic === null) return;
    dispatch(traffic);
    const isSettled = appliedVersion === state.version && clock.now() - appliedAtMs > SETTLED_MS;
    const endpoint = wireguard.endpoint();
    const decided = state.path.kind === "direct" ? state.path.endpoint : LOOPBACK;
    if (!traffic.isReceived || !isSettled || endpoint === null || endpoint === LOOPBACK || endpoint === decided) return;
    dispatch({ type: "roamed", endpoint });
  }

  clock.after(0, () => {
    settle();
    dispatch({ type: "tick" });
    look();
  });

  return {
    host,
    wireguard,
    log,
    dispatch,
    facts,
    state: () => state,
    takeFacts(peer) {
      dispatch({ type: "facts", peer, local, isEager: state.isEager });
    },
    openRelay() {
      if (isStopped || isRelayOpen) return;
      isRelayOpen = true;
      for (let packet = waiting.shift(); packet !== undefined; packet = waiting.shift()) services().relaySend(packet);
      dispatch({ type: "relay_opened" });
    },
    hasRelay: () => isRelayOpen && !isStopped,
    endRelay(code, message) {
      isRelayOpen = false;
      dispatch({ type: "relay_ended", code, message });
    },
    takeRelayed(packet) {
      if (isStopped || !isRelayOpen) return;
      // WireGuard's answer comes through a socket, so later.
      dispatch({ type: "relay_packet" });
      wireguard.receive(packet, LOOPBACK);
    },
    moved() {
      local = toLocal();
      clock.after(1_500, () => {
        lastStunMs = clock.now();
        services().tell(facts());
        dispatch({ type: "facts", peer: state.peer, local, isEager: state.isEager });
        dispatch({ type: "network_changed" });
      });
    },
    setStopped(next) {
      isStopped = next;
      if (next) return cancelWake();
      isRelayOpen = false;
      dispatch({ type: "network_changed" });
    },
  };
}
