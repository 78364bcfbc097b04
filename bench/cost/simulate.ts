// Some hours of a fleet against the real Worker in workerd, by a clock that is moved ten minutes at a time: everything that agents do in them
// is done, and counted where it arrives.
import type { Miniflare } from "miniflare";
import { apiClient } from "../lib/api.ts";
import { eachAtOnce } from "../lib/each-at-once.ts";
import { startBenchWorker } from "../lib/start-bench-worker.ts";
import { mapUsage, type Usage } from "./bill.ts";
import { type CostAgent, createCostAgent } from "./cost-agent.ts";
import { type Behaviour, DAY_MS, type DayEvent, type Fleet, listDue } from "./day.ts";

const OWNER_TOKEN = "owner-token-of-the-benchmark";
const TICK_MS = 600_000;
const AT_ONCE = 64;
const STEP_LIMIT_MS = 120_000;

export interface Simulated {
  /** Of all agents together, as if the hours were a day. */
  readonly usageOfDay: Usage;
  /** Bytes that all agents were sent, likewise: they cost nothing. */
  readonly bytesOfDay: number;
}

export interface Simulation {
  /** Starts when everybody has been connected and at rest. */
  run(behaviour: Behaviour, hours: number): Promise<Simulated>;
  stop(): Promise<void>;
}

export async function startSimulation(fleet: Fleet): Promise<Simulation> {
  const { workerd, stop } = await startBenchWorker({
    entry: "worker/testing/bench-cost.ts",
    objects: { MESH: "MeshObject", MACHINE: "MachineObject", RELAY: "RelayObject" },
    bindings: { BECKET_OWNER_TOKEN: OWNER_TOKEN, BECKET_LOG_LEVEL: "error", BECKET_STUN_SERVERS: "none" },
  });
  try {
    const world = await createWorld(workerd, fleet);
    return {
      run: (behaviour, hours) => runHours(world, behaviour, hours),
      async stop() {
        await eachAtOnce(AT_ONCE, world.agents, (agent) => agent.cut());
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface World {
  readonly agents: readonly CostAgent[];
  readonly clock: { ms: number };
  moveClock(ms: number): Promise<void>;
  reset(): Promise<void>;
  readBilled(): Promise<Usage>;
  /** Those that objects have set, and that have not rung. */
  countAlarms(): Promise<number>;
  /** Until every member of the mesh has heard of something newer. */
  untilAllNewer(meshId: string, revision: number): Promise<void>;
}

async function createWorld(workerd: Miniflare, { agents: count, meshes }: Fleet): Promise<World> {
  const origin = (await workerd.ready).origin;
  const clock = { ms: Date.now() };
  const ask = async (path: string) => {
    const response = await fetch(`${origin}/bench/${path}`);
    return response.status === 204 ? null : response.json();
  };
  const moveClock = async (ms: number) => {
    clock.ms = ms;
    await ask(`clock?ms=${ms}`);
  };
  await moveClock(clock.ms);
  const api = apiClient({ origin, ownerToken: OWNER_TOKEN });
  const tokens: { meshId: string; token: string }[] = [];
  for (let number = 0; number < meshes; number++) {
    const mesh = await api("POST", "/meshes", { name: `bench-${number}`, cidr: "10.64.0.0/16" });
    const body = { expiresInSeconds: 3_600, meshIds: [mesh.id] };
    tokens.push({ meshId: mesh.id, token: (await api("POST", "/join-tokens", body)).token });
  }
  const listeners = new Set<() => void>();
  const onApplied = () => {
    for (const listener of listeners) listener();
  };
  const entries = Array.from({ length: count }, (_, index) => {
    const { meshId, token } = tokens[index % meshes] ?? { meshId: "", token: "" };
    return { token, agent: createCostAgent({ origin, index, meshId, now: () => clock.ms, onApplied }) };
  });
  await eachAtOnce(AT_ONCE, entries, async ({ agent, token }) => {
    await agent.enrol(token);
    await agent.connect();
  });
  const agents = entries.map(({ agent }) => agent);

  return {
    agents,
    clock,
    moveClock,
    reset: async () => void (await ask("reset")),
    readBilled: async () => (await ask("billed")) as Usage,
    countAlarms: async () => ((await ask("billed")) as { alarms: number }).alarms,
    untilAllNewer(meshId, revision) {
      const members = agents.filter((agent) => agent.meshId === meshId);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("not everybody was told a change")), STEP_LIMIT_MS);
        let from = 0;
        const look = () => {
          while (from < members.length && (members[from]?.revision ?? -1) > revision) from += 1;
          if (from < members.length) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      });
    },
  };
}

async function runHours(world: World, behaviour: Behaviour, hours: number): Promise<Simulated> {
  const { agents, clock } = world;
  await settle(world);
  await world.reset();
  const bytesBefore = sumBytes(agents);
  const startedMs = clock.ms;
  const endMs = hours * 3_600_000;
  for (let fromMs = 0; fromMs < endMs; fromMs += TICK_MS) {
    await world.moveClock(startedMs + fromMs + TICK_MS);
    const due = agents.map((_, index) =>
      listDue(behaviour, { index, agents: agents.length }, fromMs, fromMs + TICK_MS),
    );
    await Promise.all(due.map((events, index) => beat(agents[index], events)));
    // Changes one after the other: in a day they do not come at once, so each is a message of its own to everybody.
    for (const [index, events] of due.entries()) for (const event of events) await change(world, index, event);
  }
  await settle(world);
  const factor = DAY_MS / endMs;
  // What settled everybody was heartbeats of its own, two of each.
  const counted = await world.readBilled();
  const usage = { ...counted, objectMessages: counted.objectMessages - 2 * agents.length };
  return {
    usageOfDay: mapUsage(usage, (number) => number * factor),
    bytesOfDay: (sumBytes(agents) - bytesBefore) * factor,
  };
}

/** What an object answers, it has counted: an answer on each socket means that all before it was. */
async function settle({ agents, clock, moveClock, countAlarms }: World): Promise<void> {
  const deadline = performance.now() + STEP_LIMIT_MS;
  while ((await countAlarms()) > 0) {
    if (performance.now() > deadline) throw new Error("the objects' alarms do not come to an end");
  }
  await moveClock(clock.ms + TICK_MS);
  await Promise.all(agents.map((agent) => beat(agent, ["meshHeartbeat", "machineHeartbeat"])));
}

async function beat(agent: CostAgent | undefined, events: readonly DayEvent[]): Promise<void> {
  for (const event of events) {
    if (event === "meshHeartbeat") await agent?.heartbeatMesh();
    if (event === "machineHeartbeat") await agent?.heartbeatMachine();
  }
}

async function change(world: World, index: number, event: DayEvent): Promise<void> {
  const { agents, clock } = world;
  const agent = agents[index];
  if (agent === undefined) return;
  if (event === "reconnect") {
    await agent.cut();
    await agent.connect();
  } else if (event === "endpointChange") {
    const { revision, meshId } = agent;
    agent.changeEndpoint();
    await world.untilAllNewer(meshId, revision);
  } else if (event === "pathChange") {
    const peer = agents.find(({ meshId, machineId }) => meshId === agent.meshId && machineId !== agent.machineId);
    agent.reportPath(peer?.machineId ?? "", new Date(clock.ms).toISOString());
  }
}

const sumBytes = (agents: readonly CostAgent[]): number =>
  agents.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
