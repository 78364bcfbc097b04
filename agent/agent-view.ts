// What the agent tells of itself to whoever looks on this machine: people by the command line, and a Prometheus.
import type { MeshId } from "#schema/ids";
import type { EnrolmentFile } from "#schema/local/agent-files";
import type { AgentStatus, ExplainReply, PeerList, RoutesReply } from "#schema/local/status";
import type { NatReport } from "#schema/nat";
import type { Prefix } from "#schema/prefix";
import type { AgentPorts } from "./agent.ts";
import type { ConnectionState } from "./control/connection.ts";
import type { DiskCache } from "./control/disk-cache.ts";
import type { Links } from "./control/links.ts";
import { readRoutes } from "./local/read-routes.ts";
import { explainPeer, toAgentStatus, toPeerList } from "./local/to-status.ts";
import { type AgentMetrics, toMetrics } from "./metrics/to-metrics.ts";
import type { Reconciler } from "./reconcile/reconciler.ts";
import { VERSION } from "./version.ts";
import type { WireGuardDevice } from "./wireguard/parse-dump.ts";
import type { WireGuard } from "./wireguard/wireguard.ts";

export interface AgentView {
  status(): Promise<AgentStatus>;
  peers(): Promise<PeerList>;
  /** The paths to a machine, by its name, id or mesh IP: one for each mesh that both are in. */
  explain(peer: string): ExplainReply;
  /** Asks the BIRDs for their sessions, which `explain` tells as they were when they were read last. */
  readSessions(): Promise<void>;
  /** The routes of its BIRDs: all, or those that contain the prefix or are inside it. */
  routes(prefix: Prefix | null): Promise<RoutesReply>;
  /** Measures what stands between this machine and the internet. Null: it is in no mesh, or there is no STUN server to ask. */
  netcheck(): Promise<NatReport | null>;
  /** What is known at this moment. WireGuard and BIRD are asked once for each mesh; no peer is, and no program runs for one. */
  metrics(): Promise<AgentMetrics>;
}

export interface AgentViewOptions {
  readonly ports: Pick<AgentPorts, "clock" | "host" | "log" | "readProcess">;
  readonly url: string | null;
  readonly wireguard: Pick<WireGuard, "readDevice">;
  readonly reconciler: Pick<Reconciler, "observe">;
  readonly cache: Pick<DiskCache, "failures">;
  readonly enrolment: () => EnrolmentFile | null;
  /** Null: it has not got that far. */
  readonly links: () => Links | null;
}

export function createAgentView({ ports, ...options }: AgentViewOptions): AgentView {
  const { clock, host, log } = ports;
  const startedAtMs = clock.now();
  const listMeshes = () => options.links()?.meshes.list() ?? [];

  async function readSessions(): Promise<void> {
    const links = options.links();
    await Promise.all(links?.meshes.list().map(({ meshId }) => links.routingView.readSessions(meshId)) ?? []);
  }

  function toFacts() {
    const links = options.links();
    const connection: ConnectionState = links?.machineLink.state() ?? { kind: "connecting" };
    return {
      ...{ version: VERSION, enrolment: options.enrolment(), connection },
      meshes: listMeshes(),
      announcementsOf: (meshId: MeshId) => links?.routingView.announcementsOf(meshId) ?? [],
      failures: [
        ...options.cache.failures(),
        ...(links?.meshes.failures() ?? []),
        ...[links?.identityRotation.failure() ?? null].filter((failure) => failure !== null),
      ],
      nowMs: clock.now(),
      toWallMs: clock.wall,
    };
  }

  const toInput = async () => ({
    ...{ pid: host.pid, startedAtMs, url: options.url },
    observed: await options.reconciler.observe(),
    ...toFacts(),
  });

  /** Null: it can't be read now, or is not there. */
  async function readDevice(interfaceName: string): Promise<WireGuardDevice | null> {
    try {
      return await options.wireguard.readDevice(interfaceName);
    } catch (error) {
      log.debug("WireGuard could not be read for the metrics", { interfaceName, error });
      return null;
    }
  }

  return {
    status: async () => toAgentStatus(await toInput()),
    async peers() {
      await readSessions();
      return { peers: toPeerList(await toInput()) };
    },
    explain: (peer) => ({ paths: explainPeer(listMeshes(), peer) }),
    readSessions,
    routes: (prefix) => readRoutes(listMeshes(), (desired) => options.links()?.routingView.readRib(desired, prefix)),
    netcheck: async () => (await options.links()?.machine.measure()) ?? null,
    async metrics() {
      const names = listMeshes().map(({ device }) => device.interfaceName);
      const [devices] = await Promise.all([
        Promise.all(names.map(async (name) => [name, await readDevice(name)] as const)),
        readSessions(),
      ]);
      const routing = options.links()?.routingView;
      return toMetrics({
        ...toFacts(),
        ...{ host, process: ports.readProcess(), devices: new Map(devices) },
        routesFrom: (meshId, peerId) => routing?.routesFrom(meshId, peerId) ?? null,
      });
    },
  };
}
