// One mesh that this machine is in: the link to its Mesh object, its paths, and what is told there of this machine.
import type { DesiredMesh } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { NatSummary } from "#schema/nat";
import { createMeshPaths, type MeshPaths } from "../paths/mesh-paths.ts";
import type { PathPorts } from "../paths/path-ports.ts";
import type { DesiredDevice } from "../reconcile/desired-device.ts";
import type { RoutedMesh } from "../routing/routed-mesh.ts";
import { createRibReporter } from "../routing/view/rib-reports.ts";
import { createRibWatch } from "../routing/view/rib-watch.ts";
import type { RoutingView } from "../routing/view/routing-view.ts";
import type { StopReason } from "./connection.ts";
import type { MemberFacts } from "./facts-pace.ts";
import type { LinkPorts } from "./link-ports.ts";
import type { ChosenDevice } from "./local-device.ts";
import { createMeshLink, type MeshLink } from "./mesh-link.ts";
import type { Position } from "./session.ts";

export interface JoinedMesh {
  readonly meshId: MeshId;
  readonly device: ChosenDevice;
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
  /** WireGuard has the peers that the newest one settled has. */
  confirm(): void;
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
  readonly routingView: Pick<RoutingView, "readRib" | "checksOf">;
  readonly onChanged: (mesh: JoinedMesh, next: DesiredMesh) => void;
  /** There is something for the reconciler. */
  readonly onDecisions: () => void;
  readonly onWelcome: () => void;
  readonly onRefused: (mesh: JoinedMesh, code: string, message: string) => void;
  readonly onStopped: (mesh: JoinedMesh, reason: StopReason) => void;
}

export function createJoinedMesh(options: JoinedMeshOptions, linkPorts: LinkPorts, pathPorts: PathPorts): JoinedMesh {
  const { meshId, machineId, device, desired } = options;
  const log = linkPorts.log.child({ meshId });
  const { machine, rules } = pathPorts;

  const toFacts = (): MemberFacts => {
    const nat: NatSummary | null = machine.nat();
    return {
      publicKey: device.publicKey,
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
      facts: { publicKey: device.publicKey, candidates: [] },
      heartbeatMs: options.heartbeatMs,
      onChanged(next) {
        mesh.name = next.mesh.name;
        options.onChanged(mesh, next);
        takeMesh(next);
      },
      onSignal(message) {
        if (message.type === "telemetry.watch") ribWatch.extend(message.seconds);
        if (message.type === "rib.request") void rib.receive(message);
        else paths.receive(message);
      },
      onWelcome: options.onWelcome,
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
  let applied: Position | null = null;
  let unconfirmed: DesiredDevice | null = null;
  const mesh: JoinedMesh = {
    meshId,
    device,
    link,
    paths,
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
    settle({ position, device }) {
      applied = position;
      unconfirmed = device;
    },
    confirm() {
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
      link.stop();
      paths.stop();
    },
    leave() {
      ribWatch.stop();
      link.stop();
      paths.leave();
    },
  };
  return mesh;
}
