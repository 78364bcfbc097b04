// The composition root. Order of start: tunnels from the disk cache first, then the control plane; so a machine is in its meshes before, and
// without, anybody answering. Stopping ends the links and leaves the tunnels: they belong to the system.
import type { EnrolmentFile } from "#schema/local/agent-files";
import type { DownReply } from "#schema/local/status";
import type { AgentInfo } from "#schema/machine";
import { type AgentView, createAgentView } from "./agent-view.ts";
import { endBirds } from "./bird/end-birds.ts";
import type { AgentTimings } from "./config.ts";
import { createDiskCache } from "./control/disk-cache.ts";
import { type Credentials, type Enrolled, ensureEnrolled } from "./control/ensure-enrolled.ts";
import { createIdentityStore } from "./control/identity.ts";
import { createLinks, type Links } from "./control/links.ts";
import type { PathNetwork, PathSettings } from "./control/path-parts.ts";
import { createServerClock } from "./control/server-clock.ts";
import type { UpgradeSettings } from "./control/upgrades/plan-upgrade.ts";
import { watchWake } from "./control/watch-wake.ts";
import { forgetAnnounced } from "./health/health.ts";
import { createLocalNetwork } from "./net/local-network.ts";
import { isOurs } from "./reconcile/ownership.ts";
import { createReconciler } from "./reconcile/reconciler.ts";
import { type BirdSockets, toBirdFolder } from "./routing/routing.ts";
import type { FollowProgram } from "./system/follow-program.ts";
import type { Http } from "./system/http.ts";
import type { Logger } from "./system/logger.ts";
import type { Probes } from "./system/probes/probes.ts";
import type { ProcessUsage } from "./system/process-usage.ts";
import type { Random } from "./system/random.ts";
import { VERSION } from "./version.ts";
import { createWireGuard, type WireGuard, type WireGuardPorts } from "./wireguard/wireguard.ts";

/** Everything that is not the agent: the system, the network, time, chance. */
export interface AgentPorts extends WireGuardPorts {
  readonly http: Http;
  readonly random: Random;
  /** Runs programs that go on while the agent does. */
  readonly followProgram: FollowProgram;
  readonly log: Logger;
  readonly listInterfaceAddresses: () => readonly string[];
  readonly isUdpPortFree: (port: number) => Promise<boolean>;
  readonly birdSockets: BirdSockets;
  readonly pathNetwork: PathNetwork;
  /** What health checks ask services with. */
  readonly probes: Probes;
  readonly host: HostFacts;
  readonly readProcess: () => ProcessUsage;
}

export interface HostFacts {
  readonly name: string;
  readonly nodeVersion: string;
  readonly kernelVersion: string;
  readonly pid: number;
  /** The SHA-256 of the program that this is; null when it can't be read. */
  readonly readBuildSha256: () => string | null;
}

export interface AgentOptions {
  readonly stateDir: string;
  readonly runDir: string;
  readonly credentials: Credentials;
  readonly timings: AgentTimings;
  readonly paths: PathSettings;
  /** Health checks may run programs that the control plane names. */
  readonly allowsExecChecks: boolean;
  readonly upgrades: UpgradeSettings;
  /** Where WireGuard runs on this machine; a rejection, which ends `run`, when nowhere. */
  readonly findWireGuard: (wireguard: WireGuard) => Promise<AgentInfo["wireguard"]>;
  /** Called once: the machine is enrolled, and the meshes that it knew of are begun. */
  readonly onUp?: () => void;
}

/** Why `run` came to its end. */
export type AgentEnd =
  /** Asked to; the tunnels are as they were. */
  | { readonly code: "stopped" }
  /** `becket down`: our interfaces are gone. */
  | { readonly code: "down" }
  /** The control plane removed this machine: everything is gone. */
  | { readonly code: "machine_removed"; readonly message: string }
  | { readonly code: "not_enrolled"; readonly problem: string; readonly message: string };

export interface Agent extends AgentView {
  /** Works until `signal` aborts or there is nothing left to do. Called once. */
  run(signal: AbortSignal): Promise<AgentEnd>;
  /** Removes every interface of ours and ends `run`, also when one could not be removed (then it rejects). */
  down(options: { readonly forget: boolean }): Promise<DownReply>;
}

const REMOVE_ATTEMPTS = 5;
const REMOVE_RETRY_MS = 1_000;

export function createAgent(ports: AgentPorts, options: AgentOptions): Agent {
  const { exec, files, http, clock, log, random, host } = ports;
  const { stateDir, runDir, timings } = options;
  const userAgent = `becket-agent/${VERSION}`;
  const identity = createIdentityStore(files, stateDir);
  const serverClock = createServerClock(clock);
  const network = createLocalNetwork(ports);
  const onFailuresChanged = () => links?.meshes.failuresChanged();
  const wireguard = createWireGuard(ports);
  const reconciler = createReconciler({
    ...{ exec, files, clock, log, random },
    wireguard,
    runDir,
    onState: onFailuresChanged,
  });
  const cache = createDiskCache({
    ...{ files, stateDir, clock, log, onFailuresChanged },
    delayMs: timings.cacheDelayMs,
    retryMs: timings.cacheRetryMs,
  });
  let enrolment: EnrolmentFile | null = null;
  let links: Links | null = null;
  let end: (value: AgentEnd) => void = () => {};
  const ended = new Promise<AgentEnd>((resolve) => {
    end = resolve;
  });
  /** Aborts as soon as the agent is to end, whoever says so; nothing is begun from then on. */
  const lifetime = new AbortController();
  let started: Promise<void> = Promise.resolve();
  let isLeaving = false;

  async function run(signal: AbortSignal): Promise<AgentEnd> {
    const onStop = () => {
      end({ code: "stopped" });
      lifetime.abort();
    };
    signal.addEventListener("abort", onStop, { once: true });
    if (signal.aborted) onStop();
    started = start(lifetime.signal).catch((error: unknown) => {
      // What comes of an abort says nothing.
      if (!lifetime.signal.aborted) throw error;
    });
    try {
      return await Promise.race([ended, started.then(() => ended)]);
    } finally {
      signal.removeEventListener("abort", onStop);
      await endWork();
      await reconciler.stop();
      await cache.flush();
      http.dropConnections();
    }
  }

  /** Ends everything that could still make an interface, send or write. */
  async function endWork(): Promise<void> {
    lifetime.abort();
    links?.stop();
    // Its failure is the business of `run`.
    await started.catch(() => undefined);
    await links?.whenIdle();
  }

  async function start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const backend = await options.findWireGuard(wireguard);
    signal.throwIfAborted();
    // Asked for now, needed after the enrolment.
    const addresses = network.addresses();
    addresses.catch(() => undefined);
    const { nodeVersion, kernelVersion } = host;
    const buildSha256 = host.readBuildSha256();
    const agentInfo = {
      ...{ agentVersion: VERSION, nodeVersion, kernelVersion, wireguard: backend },
      ...(buildSha256 === null ? {} : { buildSha256 }),
      allowsUpgrades: options.upgrades.isAllowed,
    };
    const facts = {
      identity,
      saveEnrolment: cache.saveEnrolment,
      serverClock,
      agentInfo,
      hostname: host.name,
      userAgent,
    };
    const enrolled = await ensureEnrolled({ ...ports, ...facts }, options.credentials, signal);
    if (!enrolled.ok)
      return end({ code: "not_enrolled", problem: enrolled.error.code, message: enrolled.error.message });
    enrolment = enrolled.value.enrolment;
    const { machineId, name, controlPlaneUrl: url } = enrolment;
    log.info("starting", { version: VERSION, machineId, name, url });
    if (url.startsWith("http:")) log.warn("the control plane is reached without TLS: right for tests only", { url });
    await startLinks(enrolled.value, agentInfo, await addresses, signal);
  }

  async function startLinks(
    { key, nextKey, firstMeshes, enrolment: at }: Enrolled,
    agentInfo: AgentInfo,
    addresses: Awaited<ReturnType<typeof network.addresses>>,
    signal: AbortSignal,
  ): Promise<void> {
    const cached = await cache.load();
    if (signal.aborted) return;
    const opened = createLinks({
      ...{
        http,
        clock,
        serverClock,
        log,
        random,
        files,
        exec,
        followProgram: ports.followProgram,
        wireguard,
        ...{ key, nextKey, identity },
        agentInfo,
        cache,
        reconciler,
        stateDir,
        runDir,
        timings,
        userAgent,
      },
      isUdpPortFree: ports.isUdpPortFree,
      birdSockets: ports.birdSockets,
      pathNetwork: ports.pathNetwork,
      pathSettings: options.paths,
      probes: ports.probes,
      allowsExecChecks: options.allowsExecChecks,
      upgradeSettings: options.upgrades,
      machineId: at.machineId,
      url: at.controlPlaneUrl,
      revision: cached.machine?.revision ?? 0,
      stunServers: cached.machine?.stunServers ?? [],
      onName: rename,
      onMachineRemoved: (reason) => {
        leaveEverything(reason).catch((error: unknown) => log.error("leaving failed", { error }));
      },
    });
    links = opened;
    opened.setLocalAddresses(addresses);
    const restored = opened.meshes.restore(cached.meshes, firstMeshes ?? cached.machine?.meshes ?? null);
    opened.machineLink.start();
    opened.identityRotation.start();
    watchWake(clock, opened.networkChanged, signal);
    let current = JSON.stringify(addresses);
    const addressesChanged = () => {
      network.addresses().then(
        (next) => {
          // Containers come and go all the time; only what others reach this machine by concerns us.
          if (JSON.stringify(next) === current) return;
          current = JSON.stringify(next);
          log.info("this machine's addresses changed");
          opened.networkChanged();
          opened.setLocalAddresses(next);
        },
        (error: unknown) => log.warn("the addresses could not be read", { error }),
      );
    };
    network.watchChanges({ onAddresses: addressesChanged, onTunnelGone: reconciler.look }, signal);
    await restored;
    if (!signal.aborted) options.onUp?.();
  }

  function rename(name: EnrolmentFile["name"]): void {
    if (enrolment === null || enrolment.name === name) return;
    enrolment = { ...enrolment, name };
    cache.saveEnrolment(enrolment);
  }

  /** Every link hears of a removal; once is enough. */
  async function leaveEverything(reason: string): Promise<void> {
    if (isLeaving) return;
    isLeaving = true;
    log.error("the control plane removed this machine: taking everything down", { reason });
    await endWork();
    await endRouting();
    for (let attempt = 1; attempt <= REMOVE_ATTEMPTS; attempt++) {
      try {
        await reconciler.removeEverything();
        await forgetAnnounced(files, runDir);
        break;
      } catch (error) {
        log.error("an interface could not be removed", { attempt, error });
        await clock.sleep(REMOVE_RETRY_MS);
      }
    }
    await forget();
    const message = `This machine was removed from the control plane (${reason}). Its interfaces, keys and identity are gone. To use it again, start with a new join token.`;
    end({ code: "machine_removed", message });
  }

  /** Before the interfaces go, so that neighbours hear of it. One that does not end keeps no interface from going. */
  async function endRouting(): Promise<void> {
    await endBirds({ ...ports, ...ports.birdSockets }, toBirdFolder(runDir)).catch((error: unknown) =>
      log.error("a BIRD could not be ended", { error }),
    );
  }

  async function forget(): Promise<void> {
    await cache.clear();
    await files.remove(`${stateDir}/keys`);
    await files.remove(`${runDir}/keys`);
    await identity.forget();
  }

  async function down({ forget: isForgetting }: { readonly forget: boolean }): Promise<DownReply> {
    await endWork();
    await endRouting();
    const { links: before } = await reconciler.observe();
    try {
      await reconciler.removeEverything();
      await forgetAnnounced(files, runDir);
      if (isForgetting) await forget();
    } finally {
      end({ code: "down" });
    }
    return { removed: before.filter(isOurs).map(({ name }) => name) };
  }

  const view = createAgentView({
    ...{ ports, url: options.credentials.url, wireguard, reconciler, cache },
    enrolment: () => enrolment,
    links: () => links,
  });
  return { ...view, run, down };
}
