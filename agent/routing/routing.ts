// The BIRDs of all meshes that this machine is in, beside the reconciler and not a part of it: a mesh whose routing fails still has its tunnels.
import type { AnnouncementId, AnnouncementRow } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import { type Bird, type BirdPorts, createBird } from "../bird/bird.ts";
import { endBirds } from "../bird/end-birds.ts";
import { toKernelMetric } from "../net/kernel-metric.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import { toGatewayLinks } from "./gateway-links.ts";
import { createHandover } from "./handover.ts";
import { createMeshRouting, type MeshRouting } from "./mesh-routing.ts";
import type { RoutedMesh } from "./routed-mesh.ts";
import type { AnnouncementHealth } from "./routing-ports.ts";
import { toOtherNetworks } from "./to-bird-config.ts";

export interface Routing {
  /**
   * The meshes that this machine is in, with interfaces that have their addresses. May be told again and again. One that is missing is left as it
   * is, until it is left.
   */
  setMeshes(meshes: readonly RoutedMesh[]): void;
  /** When the mesh's interface was made, or got addresses, last: what BIRD had bound to them has to be bound anew. */
  noteLink(meshId: MeshId, linkedAtMs: number | null): void;
  failureOf(meshId: MeshId): StepFailure | null;
  /** Null: nothing was begun for the mesh. */
  birdOf(meshId: MeshId): Bird | null;
  /** Ends the mesh's BIRD. Resolves also when that failed: the interface takes its routes along. */
  leave(meshId: MeshId, device: RoutedMesh["device"]): Promise<void>;
  /** Ends the BIRDs of meshes that this machine left while there was no agent. The first call counts. */
  endOthers(interfaceNames: readonly string[]): void;
  /** The BIRDs go on. */
  stop(): void;
  /** Resolves when nothing that was begun before `stop` goes on. */
  whenIdle(): Promise<void>;
}

/** To control sockets of BIRDs. */
export type BirdSockets = Pick<BirdPorts, "askSocket" | "watchSocket">;

export interface RoutingPorts extends BirdPorts {
  readonly random: Random;
  readonly log: Logger;
}

export interface RoutingOptions {
  readonly machineId: MachineId;
  readonly runDir: string;
  readonly health: AnnouncementHealth;
  readonly onFailure: () => void;
}

const NONE: readonly AnnouncementRow[] = [];

export const toBirdFolder = (runDir: string): string => `${runDir}/bird`;

interface Entry {
  readonly routing: MeshRouting;
  readonly bird: Bird;
  /** What it was told last. */
  told: Told | null;
  linkedAtMs: number | null;
}

interface Told {
  readonly desired: RoutedMesh["desired"];
  readonly announced: ReadonlySet<AnnouncementId>;
  /** What else its configuration depends on, as text. */
  readonly others: string;
}

export function createRouting(ports: RoutingPorts, options: RoutingOptions): Routing {
  const { machineId, health } = options;
  const folder = toBirdFolder(options.runDir);
  const entries = new Map<MeshId, Entry>();
  /** By interface: another BIRD for it has to wait. */
  const ending = new Map<string, Promise<void>>();
  const handover = createHandover(ports.clock, () => tellAll());
  let known: readonly RoutedMesh[] = [];
  let tidying: Promise<void> | null = null;
  let stopping: Promise<unknown> | null = null;
  let isStopped = false;

  function begin(meshId: MeshId, { interfaceName, listenPort }: RoutedMesh["device"]): Entry {
    const known = entries.get(meshId);
    if (known !== undefined) return known;
    const bird = createBird(ports, { folder, name: interfaceName, kernelMetric: toKernelMetric(listenPort) });
    const logFile = `${folder}/${interfaceName}.log`;
    const log = ports.log.child({ meshId });
    const routing = createMeshRouting({ ...ports, log, bird, logFile, onFailure: options.onFailure });
    const entry = { bird, routing, told: null, linkedAtMs: null };
    entries.set(meshId, entry);
    return entry;
  }

  function tell(mesh: RoutedMesh, meshes: readonly RoutedMesh[]): void {
    const { desired, device } = mesh;
    const meshId = desired.mesh.id;
    const entry = begin(meshId, device);
    const rows = desired.announcements ?? NONE;
    const leaving = handover.leaving(meshId, rows);
    const toOwn = (all: typeof rows) =>
      all.filter(({ machineIds }) => machineIds.includes(machineId)).map(({ id }) => id);
    // Nobody checks the health of what leaves.
    const announced = new Set([
      ...toOwn(rows).filter((id) => health.isAnnounced(meshId, id)),
      ...toOwn(leaving).filter((id) => entry.told?.announced.has(id)),
    ]);
    const links = toGatewayLinks(mesh, meshes, machineId);
    const others = JSON.stringify([...announced, leaving, links, toOtherNetworks(mesh, meshes)]);
    if (entry.told?.desired === desired && entry.told.others === others) return;
    entry.told = { desired, announced, others };
    entry.routing.set({ mesh, meshes, leaving, machineId, isAnnounced: (id) => announced.has(id) });
  }

  function tellAll(): void {
    if (isStopped) return;
    for (const mesh of known) if (!ending.has(mesh.device.interfaceName)) tell(mesh, known);
  }

  return {
    setMeshes(meshes) {
      known = meshes;
      tellAll();
    },
    noteLink(meshId, linkedAtMs) {
      const entry = entries.get(meshId);
      if (entry === undefined || entry.linkedAtMs === linkedAtMs) return;
      entry.linkedAtMs = linkedAtMs;
      entry.routing.look();
    },
    failureOf: (meshId) => entries.get(meshId)?.routing.failure() ?? null,
    birdOf: (meshId) => entries.get(meshId)?.bird ?? null,
    leave(meshId, device) {
      const { routing } = begin(meshId, device);
      entries.delete(meshId);
      handover.forget(meshId);
      known = known.filter(({ desired }) => desired.mesh.id !== meshId);
      const left = routing
        .leave()
        .catch((error: unknown) => ports.log.error("a BIRD could not be ended", { meshId, error }))
        .finally(() => ending.delete(device.interfaceName));
      ending.set(device.interfaceName, left);
      return left;
    },
    endOthers(interfaceNames) {
      tidying ??= endBirds(ports, folder, { except: interfaceNames }).catch((error: unknown) =>
        ports.log.error("the BIRD of a mesh that was left could not be ended", { error }),
      );
    },
    stop() {
      isStopped = true;
      handover.stop();
      stopping = Promise.all([...entries.values()].map(({ routing }) => routing.stop()));
    },
    async whenIdle() {
      await Promise.all([stopping, ...ending.values(), tidying]);
    },
  };
}
