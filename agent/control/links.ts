// Wires an enrolled machine to its control plane: the doorbell, and the meshes that it names.
import type { MachineId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import type { Name } from "#schema/mesh";
import type { AgentTimings } from "../config.ts";
import { createHealth, type Health } from "../health/health.ts";
import type { LocalAddress } from "../net/local-addresses.ts";
import type { MachineNetwork } from "../paths/machine-network.ts";
import { createMeshRoutes, type MeshRoutes } from "../reconcile/mesh-routes.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";
import { type BirdSockets, createRouting } from "../routing/routing.ts";
import { createRoutingView, type RoutingView } from "../routing/view/routing-view.ts";
import type { Clock } from "../system/clock.ts";
import type { Ed25519Key } from "../system/ed25519.ts";
import type { Exec } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import type { FollowProgram } from "../system/follow-program.ts";
import type { Http } from "../system/http.ts";
import type { Logger } from "../system/logger.ts";
import type { Probes } from "../system/probes/probes.ts";
import type { Random } from "../system/random.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import type { DiskCache } from "./disk-cache.ts";
import type { IdentityStore } from "./identity.ts";
import { createIdentityRotation, type IdentityRotation, type SigningKeys } from "./keys/identity-rotation.ts";
import { createSuccession } from "./keys/succession.ts";
import { createDeviceChooser } from "./local-device.ts";
import { createLongPollTransport } from "./long-poll.ts";
import { createMachineApi } from "./machine-api.ts";
import { createMachineLink, type MachineLink } from "./machine-link.ts";
import { createMeshes, type Meshes } from "./meshes.ts";
import { createPathParts, type PathNetwork, type PathSettings } from "./path-parts.ts";
import type { ServerClock } from "./server-clock.ts";
import { createSocketTransport } from "./socket.ts";
import type { UpgradeSettings } from "./upgrades/plan-upgrade.ts";
import { createUpgrades } from "./upgrades/upgrades.ts";

export interface Links {
  readonly machineLink: MachineLink;
  readonly meshes: Meshes;
  readonly identityRotation: IdentityRotation;
  readonly machine: MachineNetwork;
  readonly routingView: RoutingView;
  readonly health: Pick<Health, "list">;
  readonly routes: Pick<MeshRoutes, "refusedOf">;
  setLocalAddresses(addresses: readonly LocalAddress[]): void;
  networkChanged(): void;
  stop(): void;
  /** Resolves when nothing that was begun before `stop` goes on. */
  whenIdle(): Promise<void>;
}

export interface LinksOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly log: Logger;
  readonly random: Random;
  readonly files: Files;
  readonly exec: Exec;
  readonly followProgram: FollowProgram;
  readonly wireguard: WireGuard;
  readonly birdSockets: BirdSockets;
  readonly probes: Probes;
  readonly allowsExecChecks: boolean;
  readonly upgradeSettings: UpgradeSettings;
  readonly pathNetwork: PathNetwork;
  readonly pathSettings: PathSettings;
  readonly isUdpPortFree: (port: number) => Promise<boolean>;
  readonly cache: DiskCache;
  readonly reconciler: Reconciler;
  readonly key: Ed25519Key;
  readonly nextKey: Ed25519Key | null;
  readonly identity: IdentityStore;
  readonly machineId: MachineId;
  readonly url: string;
  readonly userAgent: string;
  readonly agentInfo: AgentInfo;
  /** Of the machine's state that the cache holds. */
  readonly revision: number;
  readonly stunServers: readonly string[];
  readonly stateDir: string;
  readonly runDir: string;
  readonly timings: AgentTimings;
  readonly onName: (name: Name) => void;
  readonly onMachineRemoved: (reason: string) => void;
}

export function createLinks(options: LinksOptions): Links {
  const { clock, log, random, cache, reconciler, timings } = options;
  const signingKeys: SigningKeys = { list: [options.key] };
  const succession = createSuccession({
    ...options,
    ...{ signingKeys, store: options.identity, backoff: timings.patientBackoff },
    api: createMachineApi({ ...options, signingKeys }),
  });
  const { api } = succession;
  const identityRotation = createIdentityRotation({
    ...options,
    ...{ signingKeys, store: options.identity, api, onFailureChanged: () => meshes.failuresChanged() },
  });
  const linkPorts = {
    webSocket: createSocketTransport(api, clock, timings),
    longPoll: createLongPollTransport(api, clock, timings),
    timings,
    clock,
    random,
    log,
  };
  const machineLink = createMachineLink(
    {
      revision: options.revision,
      agent: options.agentInfo,
      heartbeatMs: timings.machineHeartbeatMs,
      onState: ({ revision, name, meshes: listed, stunServers, keyReplacement, upgrade, dueIdentityKey }) => {
        cache.saveMachine({ revision, meshes: listed, stunServers });
        parts.machine.setStunServers(stunServers);
        meshes.setKeyOrder(keyReplacement);
        identityRotation.setDue(dueIdentityKey);
        meshes.setListed(listed);
        upgrades.setOrder(upgrade);
        options.onName(name);
      },
      onRemoved: options.onMachineRemoved,
    },
    linkPorts,
  );
  const upgrades = createUpgrades(options, {
    stateDir: options.stateDir,
    buildSha256: options.agentInfo.buildSha256 ?? null,
    settings: options.upgradeSettings,
    send: machineLink.send,
  });
  const parts = createPathParts({
    ...options,
    network: options.pathNetwork,
    settings: options.pathSettings,
    api,
    routing: {
      readSessions: (meshId) => routingView.readSessions(meshId),
      sessionWith: (meshId, peerId) => routingView.sessionWith(meshId, peerId),
      announcementsOf: (meshId) => routingView.announcementsOf(meshId),
    },
    onMachineChanged: () => queueMicrotask(() => meshes.machineChanged()),
  });
  parts.machine.setStunServers(options.stunServers);
  const health = createHealth(options, {
    runDir: options.runDir,
    allowsExec: options.allowsExecChecks,
    onChanged(meshId) {
      meshes.announcementsChanged(meshId);
      meshes.ribChanged(meshId);
    },
    onChecked: (meshId) => meshes.checksRan(meshId),
  });
  const routingView = createRoutingView({
    ...{ machineId: options.machineId, log, toWallMs: clock.wall },
    birdOf: (meshId) => routing.birdOf(meshId),
    listDuties: () => health.list(),
    onChanged: (meshId) => meshes.ribChanged(meshId),
  });
  const routes = createMeshRoutes(options.machineId, {
    ...{ exec: options.exec, followProgram: options.followProgram, clock, log },
    onChanged: () => meshes.routesChanged(),
  });
  const routing = createRouting(
    { ...options, ...options.birdSockets },
    { machineId: options.machineId, runDir: options.runDir, health, onFailure: () => meshes.failuresChanged() },
  );
  const meshes = createMeshes({
    machineId: options.machineId,
    chooser: createDeviceChooser({ ...options, observe: reconciler.observe }),
    cache,
    reconciler,
    health,
    routes,
    routing,
    routingView,
    linkPorts,
    serverNow: options.serverClock.now,
    pathPorts: parts.ports,
    heartbeatMs: timings.meshHeartbeatMs,
    reportDebounceMs: timings.reportDebounceMs,
    retryMs: timings.cacheRetryMs,
    identityFailure: identityRotation.failure,
    onDoubt: machineLink.ring,
    onMachineRemoved: () => options.onMachineRemoved("the machine was removed"),
  });
  return {
    machineLink,
    meshes,
    identityRotation,
    machine: parts.machine,
    health,
    routes,
    routingView,
    setLocalAddresses(addresses) {
      parts.machine.setAddresses(addresses.map(({ address }) => address));
      meshes.setLocalAddresses(addresses);
    },
    networkChanged() {
      options.http.dropConnections();
      parts.machine.networkChanged();
      machineLink.networkChanged();
      meshes.networkChanged();
    },
    stop() {
      machineLink.stop();
      upgrades.stop();
      identityRotation.stop();
      succession.stop();
      health.stop();
      routes.stop();
      meshes.stop();
      parts.rules.stop();
    },
    async whenIdle() {
      await upgrades.whenIdle();
      await identityRotation.whenIdle();
      await meshes.whenIdle();
      await health.whenIdle();
      await parts.machine.stop();
    },
  };
}
