// Two machines, the network between them, the control plane and a relay: the smallest world in which a path can be found and lost.
import type { MachineId } from "#schema/ids";
import { testMachineId } from "../../../testing/mesh-model.ts";
import type { PathEvent, PathState, PeerFacts } from "../path-state.ts";
import {
  createSimulatedMachine,
  type MachineOptions,
  type Services,
  type SimulatedMachine,
} from "./simulated-machine.ts";
import {
  createGate,
  createSimulatedNetwork,
  type GateKind,
  type Host,
  type SimulatedNetwork,
} from "./simulated-network.ts";
import type { Sealed } from "./simulated-wireguard.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

export const GATES = {
  public: { mapping: "none", filtering: "endpoint-independent", isUdpBlocked: false },
  firewall: { mapping: "none", filtering: "address-and-port-dependent", isUdpBlocked: false },
  cone: { mapping: "endpoint-independent", filtering: "endpoint-independent", isUdpBlocked: false },
  easy: { mapping: "endpoint-independent", filtering: "address-and-port-dependent", isUdpBlocked: false },
  hard: { mapping: "address-and-port-dependent", filtering: "address-and-port-dependent", isUdpBlocked: false },
  blocked: { mapping: "endpoint-independent", filtering: "address-and-port-dependent", isUdpBlocked: true },
} as const satisfies Record<string, GateKind>;
export type GateName = keyof typeof GATES;
export const GATE_NAMES = Object.keys(GATES) as GateName[];

/** The design's expectation: all but hard with hard, and a network without UDP. */
export const canBeDirect = (one: GateName, other: GateName): boolean =>
  one !== "blocked" && other !== "blocked" && !(one === "hard" && other === "hard");

export interface World {
  isControlUp: boolean;
  isRelayUp: boolean;
}

export interface SimulatedPair {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly world: World;
  readonly machines: readonly [SimulatedMachine, SimulatedMachine];
  setRelayUp(isUp: boolean): void;
  setControlUp(isUp: boolean): void;
  /** The machine goes to another network. */
  move(index: 0 | 1, gate: GateName): void;
  /** Its NAT forgets everything, and has another address. */
  rebootGate(index: 0 | 1): void;
  setStopped(index: 0 | 1, isStopped: boolean): void;
  /** The machine reaches these gateways directly from now on. */
  setGateways(index: 0 | 1, gatewayIds: readonly MachineId[]): void;
  /** Machine 0 pings, machine 1 answers, this often; null ends it. */
  ping(everyMs: number | null): void;
  /** When answers to pings arrived. */
  readonly pongs: number[];
  /** Control-plane requests of each machine so far: punches, relays, transits. */
  requests(index: 0 | 1): number;
}

export interface PairOptions {
  readonly gates: readonly [GateName, GateName];
  readonly random: () => number;
  readonly isEager?: boolean;
  readonly isOneLan?: boolean;
  readonly fallback?: MachineOptions["fallback"];
  readonly inspect?: (index: 0 | 1, state: PathState, before: PathState, event: PathEvent) => void;
}

const START_MS = 1_800_000_000_000;
const CONTROL_DELAY_MS = 40;
const RELAY_CONNECT_MS = 150;

export function createSimulatedPair(options: PairOptions): SimulatedPair {
  const { random, isEager = true, isOneLan = false, fallback = "relay", inspect = () => {} } = options;
  const clock = createVirtualClock(START_MS);
  const network = createSimulatedNetwork(clock, random);
  const world: World = { isControlUp: true, isRelayUp: true };
  const stopped = [false, false];
  const connected = [false, false];
  const toldFacts: (string | null)[] = [null, null];
  const wishes: (readonly MachineId[])[] = [[], []];
  let agreed: MachineId | null = null;
  const pongs: number[] = [];
  let addresses = 10;
  let cancelPing = () => {};

  const makeGate = (kind: GateName) => createGate(GATES[kind], `198.51.100.${addresses++}`, clock, random);
  function settle(host: Host, gate: GateName, lan: string): void {
    host.gate = makeGate(gate);
    host.lan = lan;
    const number = addresses++;
    host.address = GATES[gate].mapping === "none" ? `192.0.2.${number}` : `192.168.${lan.length}.${number}`;
    if (GATES[gate].mapping === "none") host.lan = `public-${number}`;
  }
  function makeHost(index: number): Host {
    const host = { name: `m${index}`, address: "", lan: "", gate: makeGate("public"), receive: () => {} };
    settle(host, options.gates[index] as GateName, isOneLan ? "lan" : "lan".repeat(index + 1));
    if (isOneLan && index === 1) host.gate = (network.hosts[0] as Host).gate;
    network.hosts.push(host);
    return host;
  }

  const isOnline = (index: number) => world.isControlUp && stopped[index] === false;
  const toControl = (from: number, run: () => void) => {
    if (isOnline(from)) clock.after(CONTROL_DELAY_MS, () => world.isControlUp && run());
  };

  function createServices(index: 0 | 1): Services {
    const peer = index === 0 ? 1 : 0;
    return {
      punch: (kind) =>
        toControl(index, () => isOnline(peer) && machines[peer].dispatch({ type: "punch_requested", kind })),
      requestRelay: () => toControl(index, () => giveTickets(index, peer)),
      requestTransit: (gatewayIds) => toControl(index, () => wish(index, gatewayIds)),
      tell: (facts) => tell(index, facts),
      relaySend(packet: Sealed) {
        const isCarried = () => connected[0] && connected[1] && world.isRelayUp;
        if (isCarried()) clock.after(60, () => isCarried() && machines[peer].takeRelayed(packet));
        else clock.after(300, () => isCarried() && machines[peer].takeRelayed(packet));
      },
      leaveRelay: () => disconnect(index),
    };
  }
  /** As the Mesh object does: each end names what it wishes, and both hear when the wishes have something in common. */
  function wish(index: 0 | 1, gatewayIds: readonly MachineId[]): void {
    wishes[index] = gatewayIds;
    const before = agreed;
    const common = wishes[0]?.filter((gatewayId) => wishes[1]?.includes(gatewayId)) ?? [];
    agreed = before !== null && common.includes(before) ? before : (common[0] ?? null);
    const peer = index === 0 ? 1 : 0;
    if (agreed !== before) for (const one of [0, 1] as const) tellTransit(one);
    else if (agreed === null && gatewayIds.length > 0 && isOnline(peer)) {
      machines[peer].dispatch({ type: "transit_requested" });
    }
  }
  function tellTransit(index: 0 | 1): void {
    clock.after(CONTROL_DELAY_MS, () => {
      if (isOnline(index)) machines[index].dispatch({ type: "transit_set", gatewayId: agreed });
    });
  }

  function tell(index: 0 | 1, facts: PeerFacts): void {
    const text = JSON.stringify(facts);
    if (toldFacts[index] === text || !isOnline(index)) return;
    toldFacts[index] = text;
    clock.after(CONTROL_DELAY_MS, () => machines[index === 0 ? 1 : 0].takeFacts(facts));
  }

  function giveTickets(index: 0 | 1, peer: 0 | 1): void {
    if (!isOnline(peer)) {
      machines[index].dispatch({ type: "relay_ended", code: "peer_offline", message: "the peer is not connected" });
      return;
    }
    for (const one of [index, peer] as const) {
      machines[one].openRelay();
      clock.after(RELAY_CONNECT_MS, () => connect(one));
    }
  }
  function connect(index: 0 | 1): void {
    if (!machines[index].hasRelay()) return;
    if (!world.isRelayUp) {
      machines[index].endRelay("network", "the relay can't be reached");
      return;
    }
    connected[index] = true;
    if (connected[0] && connected[1]) for (const one of machines) one.dispatch({ type: "relay_peer", isPresent: true });
    else machines[index].dispatch({ type: "relay_peer", isPresent: false });
  }
  function disconnect(index: 0 | 1): void {
    if (!connected[index]) return;
    connected[index] = false;
    const peer = index === 0 ? 1 : 0;
    if (connected[peer])
      clock.after(60, () => connected[peer] && machines[peer].dispatch({ type: "relay_peer", isPresent: false }));
  }

  const hosts = [makeHost(0), makeHost(1)] as const;
  const make = (index: 0 | 1): SimulatedMachine =>
    createSimulatedMachine({
      ...{ clock, network, host: hosts[index], isEager, fallback, peerName: `m${1 - index}` },
      peerId: testMachineId(1 - index) as MachineId,
      isControlling: index === 0,
      services: () => services[index],
      inspect: (state, before, event) => inspect(index, state, before, event),
      onData(packet) {
        if (packet.isEcho) pongs.push(clock.now());
        else machines[index].wireguard.send({ kind: "data", payload: packet.payload, isEcho: true });
      },
    });
  const services = [createServices(0), createServices(1)] as const;
  const machines = [make(0), make(1)] as const;
  const tellAll = () => {
    for (const index of [0, 1] as const) tell(index, machines[index].facts());
  };
  clock.after(10, tellAll);

  return {
    ...{ clock, network, world, machines, pongs },
    setRelayUp(isUp) {
      world.isRelayUp = isUp;
      if (isUp) return;
      for (const index of [0, 1] as const) {
        if (!connected[index]) continue;
        connected[index] = false;
        machines[index].endRelay("network", "the relay's connection broke");
      }
    },
    setControlUp(isUp) {
      world.isControlUp = isUp;
      if (!isUp) return;
      tellAll();
      for (const index of [0, 1] as const) tellTransit(index);
    },
    move(index, gate) {
      settle(hosts[index], gate, `lan${addresses++}`.padEnd(4 + (addresses % 200), "x"));
      // Its connections were from the old address.
      disconnect(index);
      machines[index].moved();
    },
    rebootGate(index) {
      hosts[index].gate.reboot(`198.51.100.${addresses++}`);
    },
    setStopped(index, isStopped) {
      stopped[index] = isStopped;
      if (isStopped) disconnect(index);
      machines[index].setStopped(isStopped);
      // Whoever comes back is told what changed, and tells.
      if (isStopped) return;
      toldFacts.fill(null);
      tellAll();
      tellTransit(index);
    },
    setGateways: (index, gatewayIds) => machines[index].dispatch({ type: "gateways", gatewayIds }),
    ping(everyMs) {
      cancelPing();
      if (everyMs === null) return;
      let payload = 0;
      const tick = () => {
        machines[0].wireguard.send({ kind: "data", payload: payload++, isEcho: false });
        cancelPing = clock.after(everyMs, tick);
      };
      tick();
    },
    requests: (index) => machines[index].log.filter(({ action }) => action.type.startsWith("request_")).length,
  };
}
