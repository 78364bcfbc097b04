// bench sync: how long a change takes to every agent, how many bytes it costs, and how the control plane takes storms.
// Agents are simulated in this process; the control plane is the embedded one, a process of its own. Both share the machine's cores.
import { parseArgs } from "node:util";
import { apiClient } from "./lib/api.ts";
import { startControlPlane } from "./lib/control-plane.ts";
import { eachAtOnce } from "./lib/each-at-once.ts";
import { percentile, since } from "./lib/measure.ts";
import { createSimulatedAgent, type SimulatedAgent } from "./sync/simulated-agent.ts";

const CONNECTING_AT_ONCE = 64;
/** Of each thousand agents: what all tell all grows with their square. */
const STEP_LIMIT_MS = 120_000;

export const summary =
  "sync       changes to all agents, joins and reconnects, 64 at a time (--agents 1000 --changes 50)";

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: { agents: { type: "string", default: "1000" }, changes: { type: "string", default: "50" } },
  });
  const total = Number(values.agents);
  const controlPlane = await startControlPlane();
  try {
    return await measure(controlPlane, total, Number(values.changes));
  } finally {
    await controlPlane.stop();
  }
}

async function measure(controlPlane: { origin: string; ownerToken: string }, total: number, changes: number) {
  const api = apiClient(controlPlane);
  const first = await join(controlPlane.origin, api, Math.min(250, total));
  process.stderr.write(`${first.agents.length} agents joined, every one knows all: ${first.ms} ms\n`);
  for (const agent of first.agents) agent.cut();

  const all = await join(controlPlane.origin, api, total);
  process.stderr.write(`${total} agents joined, every one knows all: ${all.ms} ms\n`);
  const { agents, meshId } = all;

  const reference = await measureReference(controlPlane.origin);
  const renames = await measureRenames(api, meshId, agents, changes);
  const updates = await measureUpdates(agents, changes);
  const acknowledged = await untilAcknowledged(api, meshId, agents);
  const reconnects = await measureReconnect(agents, meshId);
  process.stderr.write(`all ${total} reconnected: ${reconnects.ms} ms\n`);
  return {
    bench: "sync",
    agents: total,
    changes,
    connectingAtOnce: CONNECTING_AT_ONCE,
    changeToLastAckMs: renames.toLast,
    changeToMedianAgentMs: renames.toMedian,
    memberUpdateToLastAckMs: updates.toLast,
    bytesPerAgentPerChange: updates.bytesPerAgentPerChange,
    bytesPerAgentPerRename: renames.bytesPerAgentPerChange,
    [`join${first.agents.length}Ms`]: first.ms,
    joinAllMs: all.ms,
    joinAllMessagesPerAgent: all.messagesPerAgent,
    reconnectAllMs: reconnects.ms,
    reconnectBytesPerAgent: reconnects.bytesPerAgent,
    acknowledgedAtServer: acknowledged,
    reference,
  };
}

type Api = ReturnType<typeof apiClient>;

/** Enrols and connects `count` machines into a mesh of their own, as fast as they are let; ends when each knows all. */
async function join(origin: string, api: Api, count: number) {
  const mesh = await api("POST", "/meshes", { name: `bench-${count}-${Date.now()}`, cidr: "10.64.0.0/16" });
  const { token } = await api("POST", "/join-tokens", { expiresInSeconds: 3_600, meshIds: [mesh.id] });
  const agents = Array.from({ length: count }, (_, index) => createSimulatedAgent(origin, index));
  const started = performance.now();
  const complete = waitForAll(agents, (agent) => agent.knownMembers.size === count, `know all ${count} members`);
  await eachAtOnce(CONNECTING_AT_ONCE, agents, async (agent) => {
    await agent.enrol(token);
    await agent.connect(mesh.id);
  });
  await complete;
  const messagesPerAgent = agents.reduce((sum, agent) => sum + agent.changesReceived, 0) / count;
  return { agents, meshId: String(mesh.id), ms: since(started), messagesPerAgent: Math.round(messagesPerAgent) };
}

/** One API call changes the mesh's settings; every agent must be told. From the call to the moment the last acknowledgement is sent. */
async function measureRenames(api: Api, meshId: string, agents: SimulatedAgent[], changes: number) {
  return measureChanges(agents, changes, (round) =>
    api("PATCH", `/meshes/${meshId}`, { name: `renamed-${round}-${Date.now()}` }),
  );
}

/** One member's endpoints change: the row that a delta usually carries. */
async function measureUpdates(agents: SimulatedAgent[], changes: number) {
  return measureChanges(agents, changes, async (round) =>
    agents[round % agents.length]?.sendUpdate(
      [`192.168.77.${round}:51820`, `198.51.100.${round}:51820`].map(
        (endpoint) => ({ type: "host", endpoint }) as never,
      ),
    ),
  );
}

async function measureChanges(agents: SimulatedAgent[], changes: number, change: (round: number) => Promise<unknown>) {
  const toLast: number[] = [];
  const toMedian: number[] = [];
  for (const agent of agents) Object.assign(agent, { bytesReceived: 0, changesReceived: 0 });
  for (let round = 1; round <= changes; round++) {
    const before = Math.max(...agents.map((agent) => agent.revision));
    const arrivals: number[] = [];
    const started = performance.now();
    const told = waitForAll(
      agents,
      (agent) => agent.revision > before,
      "hear of a change",
      () => arrivals.push(since(started)),
    );
    await change(round);
    await told;
    toLast.push(Math.max(...arrivals));
    toMedian.push(percentile(arrivals, 50));
  }
  const bytes = agents.reduce((sum, agent) => sum + agent.bytesReceived, 0);
  return {
    toLast: { p50: percentile(toLast, 50), p95: percentile(toLast, 95), p99: percentile(toLast, 99) },
    toMedian: { p50: percentile(toMedian, 50), p99: percentile(toMedian, 99) },
    bytesPerAgentPerChange: Math.round(bytes / agents.length / changes),
  };
}

/** Every connection is cut and all agents come back as fast as they are let, without the jitter that real agents add. */
async function measureReconnect(agents: SimulatedAgent[], meshId: string) {
  for (const agent of agents) {
    agent.cut();
    agent.bytesReceived = 0;
  }
  const started = performance.now();
  await eachAtOnce(CONNECTING_AT_ONCE, agents, (agent) => agent.connect(meshId));
  const bytes = agents.reduce((sum, agent) => sum + agent.bytesReceived, 0);
  return { ms: since(started), bytesPerAgent: Math.round(bytes / agents.length) };
}

/** What a request costs here without any work behind it, to read the other numbers against. */
async function measureReference(origin: string) {
  const times: number[] = [];
  for (let round = 0; round < 200; round++) {
    const started = performance.now();
    await (await fetch(`${origin}/api/v1/meshes`)).text();
    times.push(since(started));
  }
  return { unauthenticatedRequestMs: { p50: percentile(times, 50), p99: percentile(times, 99) } };
}

/** The Mesh object's own word for it: members whose acknowledged revision is the newest; what is on its way is waited for. */
async function untilAcknowledged(api: Api, meshId: string, agents: SimulatedAgent[]): Promise<number> {
  const deadline = performance.now() + 10_000;
  let count = 0;
  do count = await countAcknowledged(api, meshId, agents);
  while (count < agents.length && performance.now() < deadline);
  return count;
}

async function countAcknowledged(api: Api, meshId: string, agents: SimulatedAgent[]): Promise<number> {
  const newest = Math.max(...agents.map((agent) => agent.revision));
  let cursor: string | null = null;
  let count = 0;
  do {
    const page: { items: { appliedRevision: number | null }[]; nextCursor: string | null } = await api(
      "GET",
      `/meshes/${meshId}/members?limit=500${cursor === null ? "" : `&cursor=${cursor}`}`,
    );
    count += page.items.filter((member) => member.appliedRevision === newest).length;
    cursor = page.nextCursor;
  } while (cursor !== null);
  return count;
}

function waitForAll(
  agents: SimulatedAgent[],
  isDone: (agent: SimulatedAgent) => boolean,
  what: string,
  onDone: () => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiting = new Set(agents.filter((agent) => !isDone(agent)));
    const timer = setTimeout(
      () => reject(new Error(`${waiting.size} agents did not ${what} in time`)),
      STEP_LIMIT_MS * Math.max(1, agents.length / 1_000),
    );
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    if (waiting.size === 0) finish();
    for (const agent of agents) {
      agent.onApplied = () => {
        if (!waiting.has(agent) || !isDone(agent)) return;
        waiting.delete(agent);
        onDone();
        if (waiting.size === 0) finish();
      };
    }
  });
}
