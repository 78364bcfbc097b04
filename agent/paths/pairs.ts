// The pairs of one mesh: made when a peer appears, ended when it goes; each begins with what WireGuard has already.
import { Endpoint, parseEndpoint } from "#schema/address";
import type { PeerRow } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import { MAX_GATEWAYS_NAMED } from "#schema/limits";
import type { LinkReport } from "#schema/path";
import type { ToMeshMessage } from "#schema/wire/messages";
import { openLoopback } from "../relay/loopback.ts";
import type { Lane } from "../stun/packet-rules.ts";
import type { WireGuardDevice, WireGuardPeer } from "../wireguard/parse-dump.ts";
import { SESSION_MS } from "../wireguard/session-time.ts";
import { createBirthday } from "./checks/birthday.ts";
import type { Checker } from "./checks/checker.ts";
import { createPath } from "./core/path-machine.ts";
import type { LocalFacts, Path, PeerFacts } from "./core/path-state.ts";
import { createPair, type Pair } from "./pair.ts";
import type { PathPorts } from "./path-ports.ts";

export interface Pairs {
  of(peerId: MachineId): Pair | null;
  all(): Iterable<Pair>;
  /** Resolves when every row has a pair. */
  setRows(rows: ReadonlyMap<MachineId, PeerRow>, context: RowContext): Promise<void>;
  setFacts(rows: ReadonlyMap<MachineId, PeerRow>, local: LocalFacts, isEager: boolean): void;
  /** The pairs that go through a gateway, and no others. */
  setTransit(gateways: ReadonlyMap<MachineId, MachineId>): void;
  stop(): void;
}

interface RowContext {
  readonly local: LocalFacts;
  readonly isEager: boolean;
  /** What WireGuard has, for pairs that are new here and not there. */
  readonly device: WireGuardDevice | null;
}

export interface PairsOptions {
  readonly meshId: MeshId;
  readonly machineId: MachineId;
  readonly listenPort: number;
  readonly checker: Checker;
  readonly probe: (packet: Uint8Array, to: Endpoint) => void;
  readonly send: (message: ToMeshMessage) => boolean;
  readonly isConnected: () => boolean;
  readonly refreshStun: () => void;
  readonly report: (link: LinkReport) => void;
  readonly onDecision: () => void;
}

interface Entry {
  readonly pair: Pair;
  row: PeerRow;
  local: LocalFacts;
  isEager: boolean;
}

type Ports = Pick<PathPorts, "clock" | "random" | "udp" | "relays" | "rules" | "birthdays" | "pacer">;

export function createPairs(options: PairsOptions, ports: Ports): Pairs {
  const { meshId, machineId, listenPort, checker } = options;
  const { clock, random, udp, relays, rules, birthdays, pacer } = ports;
  const entries = new Map<MachineId, Entry>();
  let transit: ReadonlyMap<MachineId, MachineId> = new Map();
  /** Those that are reached directly, in order of their ids. */
  let gatewayIds: readonly MachineId[] = [];
  let isStopped = false;

  async function create(row: PeerRow, { local, isEager, device }: RowContext): Promise<void> {
    const current = device?.peers.find(({ publicKey }) => publicKey === row.publicKey) ?? null;
    let pair: Pair | null = null;
    const loopback = await openLoopback(udp, listenPort, (packet) => pair?.takeSealed(packet), toLoopbackPort(current));
    if (isStopped || entries.has(row.machineId)) return loopback.close();
    const peerId = row.machineId;
    const path = toAdopted(current, clock.now());
    const isControlling = machineId < peerId;
    const beginning = createPath({ peerId, isControlling, isEager, peer: toFacts(row), local, path }, clock.now());
    // What does not work is replaced by the loopback socket, where the first packet opens the relay.
    const state = { ...beginning, version: path.kind === "none" ? 1 : 0 };
    const birthday = createBirthday({
      ...{ peerId, udp, clock, random, checker, wireguardPort: listenPort, probe: options.probe },
      birthdays,
      onTurn() {
        // The peer has to hear of it, or the ports are opened in vain.
        if (options.isConnected()) pair?.dispatch({ type: "birthday_turn" });
      },
      addLane: rules.addLane,
      dropLane: rules.dropLane,
      onLane: (remote) => pair?.dispatch({ type: "check_received", endpoint: remote, isNominated: false }),
    });
    const parts = { meshId, state, clock, relays, loopback, checker, birthday, pacer };
    pair = createPair({ ...parts, ...options, onDecision: () => settle(peerId) });
    entries.set(peerId, { pair, row, local, isEager });
    pair.dispatch({ type: "gateways", gatewayIds: toGatewaysFor(peerId) });
    const through = transit.get(peerId);
    if (through !== undefined) pair.dispatch({ type: "transit_set", gatewayId: through });
  }

  /** A gateway that became reachable, or no longer is, matters to all who may need one. */
  function settle(peerId: MachineId): void {
    options.onDecision();
    if (entries.get(peerId)?.row.isGateway) findGateways();
  }

  function findGateways(): void {
    // Without nftables it answers no checks, and forwards nothing: nothing would guard where to.
    const isUsable = ({ row, pair }: Entry) =>
      row.isGateway && row.answersChecks && pair.state().path.kind === "direct";
    const usable = [...entries.values()].filter(isUsable).map(({ row }) => row.machineId);
    const next = usable.sort().slice(0, MAX_GATEWAYS_NAMED);
    if (next.join() === gatewayIds.join()) return;
    gatewayIds = next;
    for (const [peerId, { pair }] of entries) pair.dispatch({ type: "gateways", gatewayIds: toGatewaysFor(peerId) });
  }

  const toGatewaysFor = (peerId: MachineId): readonly MachineId[] => gatewayIds.filter((id) => id !== peerId);

  function drop(peerId: MachineId): void {
    const entry = entries.get(peerId);
    entries.delete(peerId);
    entry?.pair.leave();
    if (entry !== undefined) dropLanesTo(entry);
    if (gatewayIds.includes(peerId)) findGateways();
  }

  /** Also those of an agent that was here before, which nobody holds. What another peer's path may go through stays. */
  function dropLanesTo(gone: Entry): void {
    const isKnownTo = ({ pair }: Entry, { remote }: Lane) => pair.state().tries.has(remote);
    for (const lane of rules.lanes()) {
      const isOthers = [...entries.values()].some((entry) => isKnownTo(entry, lane));
      if (lane.wireguardPort === listenPort && isKnownTo(gone, lane) && !isOthers) rules.dropLane(lane);
    }
  }

  function setFacts(rows: ReadonlyMap<MachineId, PeerRow>, local: LocalFacts, isEager: boolean): void {
    for (const [peerId, entry] of entries) {
      const row = rows.get(peerId) ?? entry.row;
      if (entry.row === row && entry.local === local && entry.isEager === isEager) continue;
      const peer = entry.row === row ? entry.pair.state().peer : toFacts(row);
      Object.assign(entry, { row, local, isEager });
      entry.pair.dispatch({ type: "facts", peer, local, isEager });
    }
    findGateways();
  }

  return {
    of: (peerId) => entries.get(peerId)?.pair ?? null,
    all: () => [...entries.values()].map(({ pair }) => pair),
    setFacts,
    async setRows(rows, context) {
      for (const [peerId, { row }] of entries) if (!isSamePeer(rows.get(peerId), row)) drop(peerId);
      setFacts(rows, context.local, context.isEager);
      const fresh = [...rows.values()].filter(({ machineId: peerId }) => !entries.has(peerId));
      await Promise.all(fresh.map((row) => create(row, context)));
    },
    setTransit(gateways) {
      transit = gateways;
      for (const [peerId, { pair }] of entries) {
        const gatewayId = gateways.get(peerId) ?? null;
        if (gatewayId !== pair.state().transitGatewayId) pair.dispatch({ type: "transit_set", gatewayId });
      }
    },
    stop() {
      isStopped = true;
      for (const { pair } of entries.values()) pair.stop();
      entries.clear();
    },
  };
}

/** A peer that replaced its key is where it was. One whose interface was made anew as well, or whose key was lost, may be anywhere. */
const isSamePeer = (row: PeerRow | undefined, before: PeerRow): boolean =>
  row?.publicKey === before.publicKey || (row !== undefined && row.deviceEpoch === before.deviceEpoch);

const toFacts = ({ candidates, nat, answersChecks }: PeerRow): PeerFacts => ({
  candidates,
  nat: nat ?? null,
  answersChecks,
});

/** A tunnel that works is left as it is: it was made by an agent that was here before. */
function toAdopted(current: WireGuardPeer | null, nowMs: number): Path {
  const endpoint = current === null ? null : toEndpoint(current.endpoint);
  const isAlive = current?.latestHandshakeMs != null && nowMs - current.latestHandshakeMs < SESSION_MS;
  if (endpoint === null || !isAlive || isLoopback(endpoint)) return { kind: "none" };
  return { kind: "direct", endpoint, isProved: false };
}

/** The port to which WireGuard still sends what the agent before has relayed. */
function toLoopbackPort(current: WireGuardPeer | null): number | undefined {
  const endpoint = toEndpoint(current?.endpoint ?? null);
  return endpoint !== null && isLoopback(endpoint) ? parseEndpoint(endpoint)?.port : undefined;
}

export const isLoopback = (endpoint: Endpoint): boolean => endpoint.startsWith("127.");

/** Null for a link-local endpoint with a zone, which only means something here. */
export function toEndpoint(text: string | null): Endpoint | null {
  return Endpoint.safeParse(text).data ?? null;
}
