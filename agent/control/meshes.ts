// The meshes that this machine is in: one link and one interface for each. The Machine object says which; each Mesh object says what is in
// them; the disk cache says both until they do.
import type { DesiredMesh } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import type { MeshFile } from "#schema/local/agent-files";
import type { KeyReplacement, StepFailure } from "#schema/machine";
import { parseAlias } from "../net/interface-name.ts";
import type { LocalAddress } from "../net/local-addresses.ts";
import type { DesiredDevice } from "../reconcile/desired-device.ts";
import { toBareDevice } from "../reconcile/to-desired-device.ts";
import { toGatewayInterfaces } from "../routing/gateway-links.ts";
import type { RoutedMesh } from "../routing/routed-mesh.ts";
import { toBackoffMs } from "./backoff.ts";
import type { StopReason } from "./connection.ts";
import { createJoinedMesh, type JoinedMesh as Entry, type GivenDevice } from "./joined-mesh.ts";
import { type ChosenDevice, toKept } from "./local-device.ts";
import { createMeshDevices } from "./mesh-devices.ts";
import { createMeshFailures } from "./mesh-failures.ts";
import { createMeshReports } from "./mesh-reports.ts";
import { type MeshView, toMeshView } from "./mesh-view.ts";
import type { ListedMesh, MeshesOptions } from "./meshes-options.ts";
import { toPosition } from "./session.ts";
import { createTimers } from "./timers.ts";
import { toRoutedNetworks } from "./to-routed-networks.ts";

export interface Meshes {
  /** Brings up what the cache knows, without waiting for anybody. */
  restore(meshFiles: readonly MeshFile[], listed: readonly ListedMesh[] | null): Promise<void>;
  /** The Machine object's word. Meshes that are new are joined, meshes that are missing are taken down. */
  setListed(listed: readonly ListedMesh[]): void;
  /** What a person asked of this machine's keys; null: nothing. */
  setKeyOrder(order: KeyReplacement | null): void;
  setLocalAddresses(addresses: readonly LocalAddress[]): void;
  /** The machine's NAT, packet rules or mapped ports are others. */
  machineChanged(): void;
  networkChanged(): void;
  /** This machine announces other things in the mesh. */
  announcementsChanged(meshId: MeshId): void;
  /** What the health checks of what it announces in the mesh say may be new. */
  checksRan(meshId: MeshId): void;
  /** The BIRD of this mesh may know other routes. */
  ribChanged(meshId: MeshId): void;
  /** The kernel has other routes of our BIRDs. */
  routesChanged(): void;
  /** The state of the reconciler or failures of the cache may have changed: tell those who want to know. */
  failuresChanged(): void;
  list(): readonly MeshView[];
  /** Of meshes that are not in the list, because they could not even be prepared. */
  failures(): readonly StepFailure[];
  stop(): void;
  /** Resolves when no mesh is being prepared and no key removed. */
  whenIdle(): Promise<void>;
}

const DOUBT_BACKOFF = { firstMs: 1_000, capMs: 300_000 };
const TIDY_AFTER_MS = 1_000;

export function createMeshes(options: MeshesOptions): Meshes {
  const { machineId, chooser, cache, reconciler, health, routes, routing, linkPorts } = options;
  const { clock, log, random } = linkPorts;
  const entries = new Map<MeshId, Entry>();
  const meshDevices = createMeshDevices({ machineId, clock, health, routes, onChanged: () => scheduleApply() });
  let listed: readonly ListedMesh[] | null = null;
  let addresses: readonly LocalAddress[] = [];
  let keyOrder: KeyReplacement | null = null;
  /** How often in a row a mesh refused this machine. */
  const refusals = new Map<MeshId, number>();
  const keyReplacements = new Map<MeshId, number>();
  const failures = createMeshFailures(clock, log);
  /** Interfaces from before, whose meshes nobody has spoken of yet. */
  let strangers: readonly MeshId[] = [];
  /** Their BIRDs are about to end. */
  const leaving = new Set<Entry>();
  let preparing: Promise<void> = health.load();
  let cancelTidy = () => {};
  const timers = createTimers(clock);
  const reports = createMeshReports({
    ...{ clock, debounceMs: options.reportDebounceMs, entries: () => entries.values() },
    failuresOf: ({ meshId }) => toFailures(meshId),
  });
  let isApplyDue = false;
  let isStopped = false;

  const isListed = (meshId: MeshId) => listed === null || listed.some((mesh) => mesh.meshId === meshId);

  /** One mesh after the other, so that two never choose the same port or name. */
  function prepare(mesh: ListedMesh, file: MeshFile | null): Promise<void> {
    preparing = preparing.then(async () => {
      if (isStopped || entries.has(mesh.meshId) || !isListed(mesh.meshId)) return;
      try {
        const taken = [...entries.values()].map(({ device }) => device);
        const device = await chooser.choose({ ...mesh, known: file }, taken);
        failures.clear(mesh.meshId);
        if (device.keyProblem !== null) failures.note(mesh.meshId, "key.write", device.keyProblem);
        if (!isStopped && isListed(mesh.meshId)) add(mesh, device, file?.desired ?? null);
      } catch (error) {
        failures.note(mesh.meshId, "mesh.prepare", error);
        timers.later(options.retryMs, () => prepare(mesh, file));
      }
    });
    return preparing;
  }

  function add(mesh: ListedMesh, device: ChosenDevice, desired: DesiredMesh | null): void {
    const entry = createJoinedMesh(
      {
        ...{ ...mesh, machineId, device, desired, heartbeatMs: options.heartbeatMs, routingView: options.routingView },
        ...{ replaceKey: chooser.replaceKey, keyOrder: () => keyOrder, serverNow: options.serverNow },
        onFailureChanged: reports.schedule,
        onChanged: save,
        onDecisions: scheduleApply,
        onWelcome: () => refusals.delete(mesh.meshId),
        onRefused: (own, code, message) => {
          if (code === "key_taken") replaceKey(own, message);
        },
        onStopped: lose,
      },
      linkPorts,
      options.pathPorts,
    );
    entries.set(mesh.meshId, entry);
    entry.paths.setAddresses(addresses);
    save(entry);
    entry.start();
    // The interface is made while the object is asked what is in the mesh.
    if (desired === null && device.isNew) scheduleApply();
  }

  function save({ meshId, device, link }: Entry): void {
    const desired = link.desired();
    cache.saveMesh({ meshId, ...toKept(device), desired });
    const self = desired?.members.find((member) => member.machineId === machineId);
    health.setDuties(meshId, self === undefined ? [] : (desired?.duties ?? []), self?.address ?? "");
  }

  /** Its interface goes when its BIRD has ended, or can't be. */
  function remove(entry: Entry): void {
    const { meshId, device } = entry;
    discard(entry);
    cache.removeMesh(meshId);
    failures.clear(meshId);
    leaving.add(entry);
    const left = routing.leave(meshId, device).finally(() => leaving.delete(entry));
    left.finally(scheduleApply);
    scheduleApply();
  }

  function discard(entry: Entry): void {
    const { meshId } = entry;
    entry.leave();
    health.setDuties(meshId, [], "");
    meshDevices.forget(meshId);
    if (entries.get(meshId) === entry) entries.delete(meshId);
    preparing = preparing
      .then(() => chooser.removeKey(meshId))
      .catch((error: unknown) => log.warn("a key could not be removed", { error }));
  }

  /** Another member has our key: this machine is a copy of it, or the other way round. Two machines with one key reach nobody. */
  function replaceKey(entry: Entry, reason: string): void {
    const { meshId, name, device, link } = entry;
    if (entries.get(meshId) !== entry) return;
    const count = keyReplacements.get(meshId) ?? 0;
    keyReplacements.set(meshId, count + 1);
    if (count > 0) failures.note(meshId, "key.replace", Object.assign(new Error(reason), { code: "key_taken" }));
    // Once at once; refused again, the key could not be replaced, and it is a matter of the disk.
    timers.later(count === 0 ? 0 : options.retryMs, () => {
      if (entries.get(meshId) !== entry) return;
      log.warn("another member of the mesh has this machine's key: making a new one", { meshId });
      discard(entry);
      prepare({ meshId, name }, { version: 1, meshId, ...toKept(device), desired: link.desired() });
    });
  }

  function lose(entry: Entry, reason: StopReason): void {
    const { meshId } = entry;
    log.warn("a mesh's link ended", { meshId, code: reason.code, reason: reason.message });
    if (reason.code === "machine_removed") options.onMachineRemoved();
    if (reason.code === "machine_removed") return;
    remove(entry);
    const count = (refusals.get(meshId) ?? 0) + 1;
    refusals.set(meshId, count);
    // The Machine object may say that it still is a member (it was added anew): not to be asked in a tight loop.
    timers.later(toBackoffMs(count, random, DOUBT_BACKOFF), options.onDoubt);
  }

  /** Joins everything that happens in one turn into one desired state. */
  function scheduleApply(): void {
    if (isApplyDue || isStopped) return;
    isApplyDue = true;
    cancelTidy();
    queueMicrotask(() => {
      isApplyDue = false;
      if (!isStopped) apply();
    });
  }

  /** Interfaces of meshes left while the agent was away go too, but they must not delay the first tunnels of a new mesh. */
  function scheduleTidy(): void {
    cancelTidy();
    cancelTidy = clock.setTimer(TIDY_AFTER_MS, scheduleApply);
  }

  function apply(): void {
    const devices: DesiredDevice[] = [];
    const given = new Map<Entry, GivenDevice>();
    // A mesh that is listed and not prepared yet has perhaps an interface from before.
    const keep = new Set([...strangers, ...(listed ?? []).map(({ meshId }) => meshId)]);
    const routed = [...entries.values()].flatMap((entry) => entry.routed() ?? []);
    routes.setMeshes(routed.map(({ desired }) => desired));
    const gatewayInterfaces = toGatewayInterfaces(routed, machineId);
    for (const entry of entries.values()) {
      const desired = entry.link.desired();
      keep.add(entry.meshId);
      if (desired === null && entry.device.isNew) {
        devices.push(toBareDevice(entry.meshId, entry.device));
        keep.delete(entry.meshId);
      }
      if (desired === null) continue;
      const device = meshDevices.toDevice(entry, desired, gatewayInterfaces);
      if (device === null) continue;
      devices.push(device);
      keep.delete(entry.meshId);
      given.set(entry, { position: toPosition(desired), device });
    }
    for (const meshId of refusals.keys()) if (!entries.has(meshId)) keep.delete(meshId);
    for (const { meshId } of leaving) if (!entries.has(meshId)) keep.add(meshId);
    reconciler.setDesired(devices, { keep: [...keep] });
    options.pathPorts.meshNetworks.setRouted(toRoutedNetworks(routed, devices));
    reconciler.whenSettled().then(() => {
      if (isStopped) return;
      for (const [entry, one] of given) entry.settle(one);
      confirm();
      route(routed);
      reports.schedule();
    });
  }

  /** The interfaces have their addresses, as far as that was possible. */
  function route(meshes: readonly RoutedMesh[]): void {
    routing.setMeshes(meshes);
    const isComplete = listed?.every(({ meshId }) => entries.has(meshId)) ?? false;
    if (isComplete) routing.endOthers([...entries.values(), ...leaving].map(({ device }) => device.interfaceName));
  }

  /** What WireGuard did not take, because a command failed, is confirmed when it has. */
  function confirm(): void {
    const { meshes } = reconciler.state();
    for (const entry of entries.values()) {
      const state = meshes.get(entry.meshId);
      entry.confirm(state);
      routing.noteLink(entry.meshId, state?.linkedAtMs ?? null);
    }
  }

  function toFailures(meshId: MeshId): StepFailure[] {
    return [
      ...(reconciler.state().meshes.get(meshId)?.failures ?? []),
      ...failures.of(meshId),
      ...(entries.get(meshId)?.failures() ?? []),
      ...[options.pathPorts.rules.failure(), routing.failureOf(meshId), options.identityFailure()].filter(
        (failure) => failure !== null,
      ),
      ...cache.failures(),
    ];
  }

  function setListed(next: readonly ListedMesh[]): void {
    if (isStopped) return;
    listed = next;
    strangers = [];
    for (const entry of [...entries.values()]) if (!isListed(entry.meshId)) remove(entry);
    for (const mesh of next) if (!entries.has(mesh.meshId)) prepare(mesh, null);
    scheduleTidy();
  }

  return {
    async restore(meshFiles, known) {
      listed = known;
      const observed = await reconciler.observe();
      if (isStopped) return;
      strangers = known === null ? observed.links.flatMap((link) => parseAlias(link.alias) ?? []) : [];
      for (const file of meshFiles) {
        const mesh = { meshId: file.meshId, name: file.desired?.mesh.name ?? file.interfaceName };
        if (isListed(file.meshId)) prepare(mesh, file);
        else cache.removeMesh(file.meshId);
      }
      await preparing;
      if (known !== null && listed === known) setListed(known);
    },
    setListed,
    setKeyOrder(next) {
      keyOrder = next;
      for (const { keyRotation } of entries.values()) keyRotation.look();
    },
    setLocalAddresses(next) {
      if (JSON.stringify(next) === JSON.stringify(addresses)) return;
      addresses = next;
      for (const { paths } of entries.values()) paths.setAddresses(next);
    },
    machineChanged() {
      for (const entry of entries.values()) {
        entry.paths.machineChanged();
        entry.tellFacts();
      }
      reports.schedule();
    },
    networkChanged() {
      for (const { link, paths } of entries.values()) {
        link.networkChanged();
        paths.networkChanged();
      }
    },
    announcementsChanged: scheduleApply,
    ribChanged: (meshId) => entries.get(meshId)?.ribChanged(),
    checksRan: (meshId) => entries.get(meshId)?.link.setChecks(options.routingView.checksOf(meshId)),
    routesChanged() {
      scheduleApply();
      for (const entry of entries.values()) entry.ribChanged();
    },
    failuresChanged() {
      confirm();
      reports.schedule();
    },
    list: () => [...entries.values()].map((entry) => toMeshView(entry, toFailures(entry.meshId))),
    failures: () => failures.list().flatMap(([meshId, failure]) => (entries.has(meshId) ? [] : [failure])),
    stop() {
      isStopped = true;
      reports.stop();
      cancelTidy();
      timers.stop();
      routing.stop();
      meshDevices.stop();
      for (const entry of entries.values()) entry.stop();
    },
    async whenIdle() {
      await preparing;
      await routing.whenIdle();
    },
  };
}
