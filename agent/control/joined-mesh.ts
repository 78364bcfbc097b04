// One mesh that this machine is in: the link to its Mesh object, its paths, and what is told there of this machine.
import type { DesiredMesh } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { KeyReplacement, StepFailure } from "#schema/machine";
import type { NatSummary } from "#schema/nat";
import { createMeshPaths, type MeshPaths } from "../paths/mesh-paths.ts";
import type { PathPorts } from "../paths/path-ports.ts";
import type { DesiredDevice } from "../reconcile/desired-device.ts";
import type { MeshState } from "../reconcile/reconciler-state.ts";
import type { RoutedMesh } from "../routing/routed-mesh.ts";
import { createRibReporter } from "../routing/view/rib-reports.ts";
import { createRibWatch } from "../routing/view/rib-watch.ts";
import type { RoutingView } from "../routing/view/routing-view.ts";
import { hasSession } from "../wireguard/session-time.ts";
import type { StopReason } from "./connection.ts";
import type { MemberFacts } from "./facts-pace.ts";
import { createKeyRotation, type KeyRotation } from "./keys/key-rotation.ts";
import type { LinkPorts } from "./link-ports.ts";
import type { ChosenDevice, DeviceChooser } from "./local-device.ts";
import { createMeshLink, type MeshLink } from "./mesh-link.ts";
import type { Position } from "./session.ts";

export interface JoinedMesh {
  readonly meshId: MeshId;
  /** Another one when its key was replaced. */
  readonly device: ChosenDevice;
  readonly keyRotation: Pick<KeyRotation, "look">;
  /** Why its key is not replaced though it is time. */
  failures(): readonly StepFailure[];
  readonly link: MeshLink;
  readonly paths: MeshPaths;
  name: string;
  /** What the reconciler has worked through. */
  readonly applied: Position | null;
  /** The newest report of that, as text. */
  told: string;
  /** Something that the others need to know of this machine may be new. */
  tellFacts(): void;
  /** Its BIRD may know other routes than before. */
  ribChanged(): void;
  /** Null: nothing is known of it yet. */
  routed(): RoutedMesh | null;
  /** The reconciler has worked through this, as far as it could. */
  settle(given: GivenDevice): void;
  /** What the reconciler could do of the newest one settled. */
  confirm(state: MeshState | undefined): void;
  start(): void;
  /** The interface stays. */
  stop(): void;
  /** The interface goes. */
  leave(): void;
}

/** What the reconciler was given for the mesh. */
export interface GivenDevice {
  readonly position: Position;
  readonly device: DesiredDevice;
}

export interface JoinedMeshOptions {
  readonly meshId: MeshId;
  readonly machineId: MachineId;
  readonly name: string;
  readonly device: ChosenDevice;
  /** As the disk cache remembers it. */
  readonly desired: DesiredMesh | null;
  readonly heartbeatMs: number;
  readonly replaceKey: DeviceChooser["replaceKey"];
  /** What a person asked of this machine's keys. */
  readonly keyOrder: () => KeyReplacement | null;
  readonly serverNow: () => number;
  readonly onFailureChanged: () => void;
  readonly routingView: Pick<RoutingView, "readRib" | "checksOf">;
  readonly onChanged: (mesh: JoinedMesh, next: DesiredMesh) => void;
  /** There is something for the reconciler. */
  readonly onDecisions: () => void;
  readonly onWelcome: () => void;
  readonly onRefused: (mesh: JoinedMesh, code: string, message: string) => void;
  readonly onStopped: (mesh: JoinedMesh, reason: StopReason) => void;
}

export function createJoinedMesh(options: JoinedMeshOptions, linkPorts: LinkPorts, pathPorts: PathPorts): JoinedMesh {
  const { meshId, machineId, desired } = options;
  const log = linkPorts.log.child({ meshId });
  const { machine, rules } = pathPorts;
  let { device } = options;
  /** What others are told: another key counts when WireGuard has it. */
  let { publicKey } = device;

  const toFacts = (): MemberFacts => {
    const nat: NatSummary | null = machine.nat();
    return {
      publicKey,
      candidates: paths.candidates(),
      answersChecks: rules.problem() === null,
      ...(device.deviceEpoch === null ? {} : { deviceEpoch: device.deviceEpoch }),
      ...(nat === null ? {} : { nat }),
    };
  };
  const paths = createMeshPaths(
    {
      meshId,
      machineId,
      interfaceName: device.interfaceName,
      listenPort: device.listenPort,
      privateKeyFile: device.privateKeyFile,
      send: (message) => link.send(message),
      isConnected: () => link.state().kind === "connected",
      onDecisions: options.onDecisions,
      onEndpoints: () => link.setFacts(toFacts()),
    },
    { ...pathPorts, log },
  );
  const takeMesh = (next: DesiredMesh) =>
    paths.setMesh(next).then(options.onDecisions, (error: unknown) => log.error("paths could not be made", { error }));
  const link: MeshLink = createMeshLink(
    {
      meshId,
      desired,
      facts: { publicKey, candidates: [] },
      heartbeatMs: options.heartbeatMs,
      onChanged(next) {
        mesh.name = next.mesh.name;
        options.onChanged(mesh, next);
        takeMesh(next);
        keyRotation.look();
      },
      onSignal(message) {
        if (message.type === "telemetry.watch") ribWatch.extend(message.seconds);
        if (message.type === "presence.told") keyRotation.receive(message);
        else if (message.type === "rib.request") void rib.receive(message);
        else paths.receive(message);
      },
      onWelcome() {
        options.onWelcome();
        keyRotation.look();
      },
      onRefused: (code, message) => options.onRefused(mesh, code, message),
      onStopped: (reason) => options.onStopped(mesh, reason),
    },
    linkPorts,
  );
  const rib = createRibReporter({
    view: options.routingView,
    desired: () => link.desired(),
    send: (report) => link.send(report),
  });
  const ribWatch = createRibWatch({ clock: linkPorts.clock, tell: () => link.send({ type: "rib.changed" }) });
  const keyRotation = createKeyRotation({
    ...{ meshId, log, clock: pathPorts.clock, serverNow: options.serverNow },
    facts() {
      const known = link.desired();
      if (known === null) return null;
      const self = known.members.find((member) => member.machineId === machineId) ?? null;
      return { publicKey: device.publicKey, self, order: options.keyOrder(), rotationDays: known.mesh.keyRotationDays };
    },
    isConnected: () => link.state().kind === "connected",
    send: (message) => link.send(message),
    async listLiving() {
      const peers = (await pathPorts.readDevice(device.interfaceName))?.peers ?? [];
      const nowMs = pathPorts.clock.now();
      const living = new Set(peers.filter((peer) => hasSession(peer, nowMs)).map((peer) => peer.publicKey));
      return (link.desired()?.members ?? []).filter((member) => living.has(member.publicKey));
    },
    async replace() {
      device = await options.replaceKey(device);
      paths.ownKeyChanged();
      options.onDecisions();
    },
    onFailureChanged: options.onFailureChanged,
  });
  let applied: Position | null = null;
  let settledKey = publicKey;
  let unconfirmed: DesiredDevice | null = null;
  const mesh: JoinedMesh = {
    meshId,
    get device() {
      return device;
    },
    link,
    paths,
    keyRotation,
    failures: () => [keyRotation.failure() ?? []].flat(),
    name: options.name,
    get applied() {
      return applied;
    },
    told: "",
    tellFacts: () => link.setFacts(toFacts()),
    ribChanged: ribWatch.changed,
    routed() {
      const desired = link.desired();
      return desired === null ? null : { desired, device };
    },
    settle({ position, device: given }) {
      applied = position;
      unconfirmed = given;
      settledKey = given.publicKey;
    },
    confirm(state) {
      if (!state?.arePeersApplied) return;
      if (settledKey !== publicKey && !state.failures.some(({ step }) => step === "device.configure")) {
        publicKey = settledKey;
        mesh.tellFacts();
      }
      if (unconfirmed === null) return;
      paths.confirm(new Map(unconfirmed.peers.map((peer) => [peer.machineId, peer.endpointVersion])));
      unconfirmed = null;
    },
    start() {
      paths.start().catch((error: unknown) => log.error("checks can't be made", { error }));
      if (desired !== null) takeMesh(desired);
      link.setFacts(toFacts());
      link.start();
    },
    stop() {
      ribWatch.stop();
      keyRotation.stop();
      link.stop();
      paths.stop();
    },
    leave() {
      ribWatch.stop();
      keyRotation.stop();
      link.stop();
      paths.leave();
    },
  };
  return mesh;
}
