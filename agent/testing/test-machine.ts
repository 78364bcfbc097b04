// A whole agent on a machine that lives in memory (fake kernel, files, clock), talking to a fake control plane over real sockets.
import { expect } from "vitest";
import { type Agent, type AgentEnd, type AgentPorts, createAgent } from "../agent.ts";
import { DEFAULT_TIMINGS } from "../config.ts";
import type { PortMapper } from "../net/port-mapper.ts";
import { createSteadyTime } from "../system/clock.ts";
import { createHttp } from "../system/http.ts";
import { createLogger, type Logger } from "../system/logger.ts";
import { randomBytes } from "../system/random.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeControlPlane, type FakeControlPlane } from "./fake-control-plane.ts";
import { createFakeHost } from "./fake-host.ts";
import { createFakeKernel, type FakeKernel } from "./fake-kernel.ts";
import type { FakeMesh } from "./fake-objects.ts";
import { createFakeUdp, type FakeUdp } from "./fake-udp.ts";
import type { FakeWireGuard } from "./fake-wireguard.ts";
import { createMemoryFiles, type MemoryFiles } from "./memory-files.ts";

const NO_PORT_MAPPER: PortMapper = {
  start: () => undefined,
  state: () => ({ protocols: [], mappings: [], problem: null }),
  networkChanged: () => undefined,
  stop: async () => undefined,
};

export const TEST_TOKEN = `bkj_${"t".repeat(43)}`;

export interface TestMachine {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly kernel: FakeKernel;
  readonly wireguard: FakeWireGuard;
  /** What was logged, as JSON lines. */
  readonly logs: string[];
  readonly ports: AgentPorts;
  /** Starts an agent; the one before has to be stopped or killed. */
  start(options?: StartOptions): RunningAgent;
  /** Lets time pass in steps, with room in between for what comes over real sockets. */
  pass(ms: number): Promise<void>;
  /** Moves time until the check passes. Only for reads. */
  until<T>(check: () => T | Promise<T>): Promise<T>;
}

export interface StartOptions {
  readonly url?: string | null;
  readonly token?: string | null;
  /** How far this machine's clock is off. */
  readonly skewMs?: number;
}

/** A control plane with one mesh, and a machine that may join it. */
export interface TestWorld {
  readonly plane: FakeControlPlane;
  readonly mesh: FakeMesh;
  readonly machine: TestMachine;
  start(options?: StartOptions): RunningAgent;
  /** Until the agent says that it has applied the mesh's newest state. */
  untilApplied(mesh?: FakeMesh): Promise<void>;
  close(): Promise<void>;
}

export async function createTestWorld(): Promise<TestWorld> {
  const machine = createTestMachine();
  const plane = await createFakeControlPlane(machine.clock.now);
  const first = plane.addMesh(0);
  const running: RunningAgent[] = [];
  return {
    plane,
    mesh: first,
    machine,
    start(options = {}) {
      const agent = machine.start({ url: plane.url, ...options });
      running.push(agent);
      return agent;
    },
    untilApplied: (mesh = first) =>
      machine.until(() => expect(mesh.applied.at(-1)?.revision).toBe(mesh.model.desired().revision)),
    async close() {
      for (const agent of running) await agent.stop().catch(() => {});
      await plane.close();
    },
  };
}

export interface RunningAgent extends Agent {
  readonly end: Promise<AgentEnd>;
  stop(): Promise<AgentEnd>;
}

export interface TestMachineOptions {
  /** It enrols as `host-NUMBER`, and has 192.0.2.(199 + NUMBER). */
  readonly number?: number;
  readonly clock?: FakeClock;
  readonly network?: FakeUdp;
}

export function createTestMachine({
  number = 1,
  clock = createFakeClock(Date.now()),
  network = createFakeUdp(),
}: TestMachineOptions = {}): TestMachine {
  const files = createMemoryFiles();
  const kernel = createFakeKernel({ files });
  const logs: string[] = [];
  const log: Logger = createLogger({
    level: "debug",
    format: "json",
    now: clock.now,
    write: (line) => logs.push(line),
  });
  const address = `192.0.2.${199 + number}`;
  kernel.addLink("eth0", { isUp: true, addresses: [`${address}/24`] });
  const { udp, wireguard } = createFakeHost({ network, address, kernel, files, clock });

  const ports: AgentPorts = {
    exec: kernel,
    followProgram: kernel.followProgram,
    files,
    http: createHttp({}),
    clock,
    random: () => 0.5,
    log,
    listInterfaceAddresses: () =>
      [...kernel.links].flatMap(([name, { addresses }]) => addresses.map((address) => `${name} ${address}`)),
    isUdpPortFree: async () => true,
    birdSockets: { askSocket: async () => null, watchSocket: async () => null },
    probes: NO_PROBES,
    pathNetwork: {
      udp,
      randomBytes,
      resolveHost: async () => ({ ipv4: [], ipv6: [] }),
      createPortMapper: () => NO_PORT_MAPPER,
    },
    readProcess: () => ({ cpuSeconds: 1.5, residentBytes: 50_000_000, startedAtMs: 1_700_000_000_000 }),
    host: {
      ...{ name: `host-${number}`, nodeVersion: "v20.18.1", kernelVersion: "6.1.0", pid: 1 },
      readBuildSha256: () => "a".repeat(64),
    },
  };

  return {
    clock,
    files,
    kernel,
    wireguard,
    logs,
    ports,
    start({ url = null, token = TEST_TOKEN, skewMs = 0 } = {}) {
      const agent = createAgent(
        {
          ...ports,
          http: createHttp({}),
          clock: {
            ...clock,
            ...createSteadyTime({ wall: () => clock.wall() + skewMs, monotonic: clock.now, boot: clock.now }),
          },
        },
        {
          stateDir: "/state",
          runDir: "/run",
          credentials: { url, readToken: async () => token },
          timings: DEFAULT_TIMINGS,
          allowsExecChecks: false,
          upgrades: { isAllowed: false, libraryDir: "/lib", startsInstaller: false },
          paths: { staticEndpoints: [], stunServers: [] },
          findWireGuard: async () => "kernel",
        },
      );
      const stop = new AbortController();
      const end = agent.run(stop.signal);
      // A test that expects the failure awaits it; one that does not must not be ended by it.
      end.catch(() => {});
      return {
        ...agent,
        end,
        stop: () => {
          stop.abort();
          return end;
        },
      };
    },
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 1_000) {
        await clock.advance(Math.min(1_000, ms - passed));
        await breathe();
      }
    },
    async until(check) {
      const deadline = Date.now() + 5_000;
      for (;;) {
        await clock.advance(25);
        try {
          return await check();
        } catch (error) {
          if (Date.now() > deadline) throw error;
        }
        await breathe();
      }
    },
  };
}

const refuse = () => Promise.reject(new Error("nothing listens here"));
const NO_PROBES = { connect: refuse, askHttp: refuse, askGrpcHealth: refuse };

const breathe = () => new Promise((resolve) => setTimeout(resolve, 2));
