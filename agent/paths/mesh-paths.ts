// The paths of one mesh: this machine's endpoints there, and a pair for each peer. Takes what comes in on WireGuard's port and from the Mesh
// object, and says where WireGuard has to send (`decisionOf`).
import type { Endpoint } from "#schema/address";
import type { Candidate, DesiredMesh, PeerRow } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import { EAGER_MEMBERS } from "#schema/limits";
import type { ObservedEndpoint, PeerExplanation } from "#schema/path";
import type { FromMeshMessage, ToMeshMessage } from "#schema/wire/messages";
import type { LocalAddress } from "../net/local-addresses.ts";
import type { PathDecision } from "../reconcile/path-decision.ts";
import { createChecker } from "./checks/checker.ts";
import type { LocalFacts } from "./core/path-state.ts";
import { toSurroundings } from "./core/surroundings.ts";
import { toTraffic } from "./core/to-traffic.ts";
import { createOwnEndpoints, type OwnEndpoints } from "./endpoints/own-endpoints.ts";
import { createLinkReporter } from "./link-reports.ts";
import type { Pair } from "./pair.ts";
import { createPairs, toEndpoint } from "./pairs.ts";
import type { PathPorts } from "./path-ports.ts";
import { createProbe, type ProbeOptions } from "./probe.ts";
import { createSampler, type PeerSample } from "./sampler.ts";
import { createWatch, toExplanation, toTelemetryReports } from "./telemetry.ts";

export interface MeshPaths {
  /** Opens the probe socket; then checks can leave. Rejects when there is no socket to be had. */
  start(): Promise<void>;
  /** The mesh is another. Resolves when there is a decision for each peer. */
  setMesh(desired: DesiredMesh): Promise<void>;
  setAddresses(addresses: readonly LocalAddress[]): void;
  /** The machine's NAT, keepalive, rules or mapped ports are others. */
  machineChanged(): void;
  networkChanged(): void;
  /** The file of this mesh's private key holds another one. */
  ownKeyChanged(): void;
  /** A message of the Mesh object that is about paths; others are left alone. */
  receive(message: FromMeshMessage): void;
  decisionOf(peerId: MachineId): PathDecision | null;
  /** WireGuard has what was decided for these peers. */
  confirm(versions: ReadonlyMap<MachineId, number>): void;
  /** What the others need to know of this machine. */
  candidates(): Candidate[];
  endpoints(): ObservedEndpoint[];
  explain(peerId: MachineId): PeerExplanation | null;
  explainAll(): PeerExplanation[];
  /** Lanes that carry traffic, and the rules, stay for WireGuard. */
  stop(): void;
  /** As stop, when the interface goes too. */
  leave(): void;
}

export interface MeshPathsOptions {
  readonly meshId: MeshId;
  readonly machineId: MachineId;
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly privateKeyFile: string;
  /** False: not connected. */
  readonly send: (message: ToMeshMessage) => boolean;
  readonly isConnected: () => boolean;
  /** `decisionOf` says something else. */
  readonly onDecisions: () => void;
  /** `candidates` says something else. */
  readonly onEndpoints: () => void;
}

/** WireGuard was given the decision this long ago: what it says of endpoints is about that, not about the one before. */
const SETTLED_MS = 1_500;

export function createMeshPaths(options: MeshPathsOptions, ports: PathPorts): MeshPaths {
  const { meshId, machineId, listenPort } = options;
  const { clock, machine, meshNetworks, rules, log } = ports;
  let desired: DesiredMesh | null = null;
  let rows = new Map<MachineId, PeerRow>();
  let byKey = new Map<string, MachineId>();
  let addresses: readonly LocalAddress[] = [];
  let knownNetworks = meshNetworks.all();
  let surroundings = toSurroundings(addresses, knownNetworks);
  let settledAtMs = 0;
  let making: Promise<void> = Promise.resolve();
  let isStopped = false;

  const onCheck: ProbeOptions["onCheck"] = (packet, from, reply) => checker.receive(packet, { from, reply });
  const probe = createProbe({ meshId, listenPort, onCheck }, ports);
  let local: LocalFacts = toLocal();
  const own: OwnEndpoints = createOwnEndpoints({
    listenPort,
    clock,
    staticEndpoints: machine.staticEndpoints,
    stun: probe,
    servers: () => (probe.isOpen() ? machine.stunServers() : []),
    resolveHost: ports.resolveHost,
    nat: machine.nat,
    onChanged: options.onEndpoints,
  });
  const reporter = createLinkReporter(clock, (links) => options.send({ type: "link.report", links }));
  const keys = ports.createKeys(options.privateKeyFile, (peerId) => rows.get(peerId)?.publicKey ?? null);
  const checker = createChecker({
    machineId,
    clock,
    randomBytes: ports.randomBytes,
    log,
    keys,
    isReady: (peerId) => pairs.of(peerId)?.isConfigured() ?? false,
    onAnswered(peerId, answer) {
      if (answer.mapped !== null) own.notePeerObserved(peerId, answer.mapped);
      pairs.of(peerId)?.noteAnswer(answer);
    },
    onChecked: (peerId, endpoint, isNominated) =>
      pairs.of(peerId)?.dispatch({ type: "check_received", endpoint, isNominated }),
  });
  const pairs = createPairs(
    {
      meshId,
      machineId,
      listenPort,
      checker,
      probe: probe.send,
      send: options.send,
      isConnected: options.isConnected,
      refreshStun: own.refresh,
      report: reporter.add,
      onDecision: options.onDecisions,
    },
    ports,
  );
  const sampler = createSampler({
    interfaceName: options.interfaceName,
    files: ports.files,
    clock,
    log,
    readDevice: () => ports.readDevice(options.interfaceName),
    onSamples: (samples) => samples.forEach(takeSample),
  });
  const watch = createWatch({
    clock,
    measure() {
      void ports.routing.readSessions(meshId);
      for (const pair of pairs.all()) pair.measure();
    },
    report: (isSteady) => {
      const announcements = [...ports.routing.announcementsOf(meshId)];
      const report = {
        peers: explainAll(),
        endpoints: own.list(meshId),
        nat: machine.report(),
        announcements,
        isSteady,
      };
      for (const part of toTelemetryReports(report)) options.send(part);
    },
  });

  function toLocal(): LocalFacts {
    return {
      surroundings,
      nat: machine.nat(),
      canCheck: probe.mayOpen(),
      fallback: desired?.mesh.fallback ?? "relay",
      keepaliveSeconds: machine.keepaliveSeconds(),
    };
  }

  function look(next: readonly LocalAddress[]): void {
    [addresses, knownNetworks] = [next, meshNetworks.all()];
    surroundings = toSurroundings(addresses, knownNetworks);
  }

  function refresh(): void {
    local = toLocal();
    if (desired !== null) pairs.setFacts(rows, local, isEager(desired));
  }

  function takeSample({ peer, sentBytes, receivedBytes }: PeerSample): void {
    const peerId = byKey.get(peer.publicKey);
    const pair = peerId === undefined ? null : pairs.of(peerId);
    if (peerId === undefined || pair === null) return;
    const traffic = toTraffic(sentBytes, receivedBytes);
    if (traffic !== null) pair.dispatch(traffic);
    const isSettled = pair.appliedVersion() === pair.decision().version && clock.now() - settledAtMs > SETTLED_MS;
    if (receivedBytes === 0 || !isSettled) return;
    const roamed = toRoamed(pair, peer.endpoint);
    if (roamed === null) return;
    pair.dispatch({ type: "roamed", endpoint: roamed });
    const isTold = rows.get(peerId)?.candidates.some(({ endpoint }) => endpoint === roamed) ?? false;
    if (!isTold) options.send({ type: "peer.observed", peerId, endpoint: roamed });
  }

  function explain(peerId: MachineId): PeerExplanation | null {
    const row = rows.get(peerId);
    const pair = pairs.of(peerId);
    if (row === undefined || pair === null || desired === null) return null;
    const sample = sampler.newest(row.publicKey);
    const time = { nowMs: clock.now(), toWallMs: clock.wall };
    const bgp = ports.routing.sessionWith(meshId, peerId);
    return toExplanation({ mesh: desired.mesh, row, pair, sample, localNat: local.nat, bgp, ...time });
  }

  function stop(): void {
    isStopped = true;
    sampler.stop();
    watch.stop();
    reporter.stop();
    pairs.stop();
    probe.close();
    machine.setVoice(listenPort, null);
  }

  const explainAll = () => [...rows.keys()].flatMap((peerId) => explain(peerId) ?? []);

  return {
    async start() {
      try {
        const client = await probe.open();
        if (client === null || isStopped) return;
        sampler.start();
        machine.setVoice(listenPort, client);
        own.refresh();
      } finally {
        if (!isStopped) refresh();
      }
    },
    setMesh(next) {
      const isFirst = desired === null;
      if (desired?.mesh !== next.mesh) {
        desired = next;
        meshNetworks.set(meshId, [next.mesh.cidr, next.mesh.cidr6]);
        if (knownNetworks !== meshNetworks.all()) look(addresses);
        local = toLocal();
      }
      desired = next;
      rows = new Map(next.members.filter((row) => row.machineId !== machineId).map((row) => [row.machineId, row]));
      byKey = new Map([...rows.values()].map((row) => [row.publicKey, row.machineId]));
      // One after the other: the first looks at what WireGuard has, and none that follows may overtake it.
      making = making.then(async () => {
        const device = isFirst ? await ports.readDevice(options.interfaceName).catch(() => null) : null;
        if (desired !== null && !isStopped) await pairs.setRows(rows, { local, isEager: isEager(desired), device });
      });
      const made = making;
      making = making.catch(() => undefined);
      return made;
    },
    setAddresses(next) {
      look(next);
      own.setAddresses(next);
      refresh();
    },
    machineChanged() {
      if (knownNetworks !== meshNetworks.all()) look(addresses);
      own.setMapped(machine.mappings().filter(({ port }) => port === listenPort));
      refresh();
      own.refresh();
      options.onEndpoints();
    },
    networkChanged() {
      own.networkChanged();
      own.refresh();
      for (const pair of pairs.all()) pair.dispatch({ type: "network_changed" });
    },
    ownKeyChanged() {
      keys.ownKeyChanged();
      for (const pair of pairs.all()) pair.ownKeyChanged();
    },
    receive(message) {
      switch (message.type) {
        case "punch.requested":
          pairs.of(message.peerId)?.dispatch({ type: "punch_requested", kind: message.kind });
          return;
        case "relay.ticket":
          pairs.of(message.peerId)?.openRelay(message.ticket);
          return;
        case "relay.refused":
          pairs.of(message.peerId)?.dispatch({ type: "relay_ended", code: message.code, message: message.message });
          return;
        case "endpoint.observed":
          own.noteMeshObserved(message.observedBy, message.endpoint);
          return;
        case "telemetry.watch":
          sampler.watchUntil(clock.now() + message.seconds * 1_000);
          watch.extend(message.seconds);
          return;
        case "transit.requested":
          pairs.of(message.peerId)?.dispatch({ type: "transit_requested" });
          return;
        case "transit.set":
          pairs.setTransit(new Map(message.pairs.map(({ peerId, gatewayId }) => [peerId, gatewayId])));
      }
    },
    decisionOf: (peerId) => pairs.of(peerId)?.decision() ?? null,
    confirm(versions) {
      settledAtMs = clock.now();
      for (const [peerId, version] of versions) pairs.of(peerId)?.confirm(version);
    },
    candidates: own.candidates,
    endpoints: () => own.list(meshId),
    explain,
    explainAll,
    stop,
    leave() {
      stop();
      rules.dropPort(meshId);
      meshNetworks.drop(meshId);
    },
  };
}

const isEager = ({ members }: DesiredMesh): boolean => members.length <= EAGER_MEMBERS;

/** Where WireGuard hears the peer, when that is not where it was told to send; null: as decided, or through the relay. */
function toRoamed(pair: Pair, endpoint: string | null): Endpoint | null {
  if (endpoint === null || endpoint.startsWith("127.") || endpoint === pair.decision().endpoint) return null;
  return toEndpoint(endpoint);
}
