// bench addresses: fills a whole /16 of one mesh through the real Mesh object in workerd, state on disk, 1,000 members in each call, timed
// from outside because a clock inside workerd stands still while it computes.
import { parseArgs } from "node:util";
import type { Miniflare } from "miniflare";
import { createAddressPool, fillAddressPool } from "../worker/mesh-object/addresses/addresses.ts";
import { createMemoryAddressStorage } from "../worker/testing/memory-address-storage.ts";
import { percentile, since } from "./lib/measure.ts";
import { startBenchWorker } from "./lib/start-bench-worker.ts";

export const summary = "addresses  a whole /16, member by member (--chunk 1000 --hosts 65534)";

/** Pairs of a last and a first chunk that are compared. */
const PAIRS = 9;
/** Before the measurement, in another mesh, so that the first chunk is not the one that pays for compiling. */
const WARM_UP_CHUNKS = 8;

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: { chunk: { type: "string", default: "1000" }, hosts: { type: "string", default: "65534" } },
  });
  const { workerd, stop } = await startBenchWorker({
    entry: "worker/testing/bench-addresses.ts",
    objects: { MESH: "BenchMeshObject", MACHINE: "MachineObject" },
  });
  try {
    return await measure(workerd, Number(values.chunk), Number(values.hosts));
  } finally {
    await stop();
  }
}

async function measure(workerd: Miniflare, chunk: number, hosts: number): Promise<Record<string, unknown>> {
  const call = createCall(workerd);
  const addChunk = async (mesh: number, first: number): Promise<number> => {
    const started = performance.now();
    await call("add", { mesh, first, count: Math.min(chunk, hosts + 1 - first) });
    return since(started);
  };

  await call("initialise", { mesh: 1 });
  for (let index = 0; index < WARM_UP_CHUNKS; index++) await addChunk(1, 1 + index * chunk);

  await call("initialise", { mesh: 2 });
  const chunks: number[] = [];
  const ratios: number[] = [];
  const fullChunks = Math.floor(hosts / chunk);
  for (let first = 1; first <= hosts; first += chunk) {
    const index = chunks.length;
    const isCompared = index >= fullChunks - PAIRS && index < fullChunks;
    const firstOfFreshMesh = isCompared ? await timeFirstChunk(call, addChunk, 1_000 + index) : null;
    const ms = await addChunk(2, first);
    chunks.push(ms);
    if (firstOfFreshMesh !== null) ratios.push(ms / firstOfFreshMesh);
    if (chunks.length % 10 === 0) process.stderr.write(`${first + chunk - 1} members\n`);
  }
  const totalMs = chunks.reduce((sum, ms) => sum + ms, 0);
  const undeliveredAtTheEnd = await call("undelivered", { mesh: 2 });
  const bareMs = await timeBare(call, chunk, hosts);
  const memoryMs = timeMemory(hosts);

  return {
    bench: "addresses",
    total: hosts,
    totalMs: round(totalMs),
    perSecond: Math.round((hosts / totalMs) * 1_000),
    lastToFirstRatio: round([...ratios].sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1),
    chunkMs: {
      p50: percentile(chunks, 50),
      p95: percentile(chunks, 95),
      first: chunks[0],
      last: chunks[fullChunks - 1],
    },
    chunk,
    undeliveredAtTheEnd,
    reference: {
      bareInsertsPerSecond: Math.round((hosts / bareMs) * 1_000),
      timeToBareInserts: round(totalMs / bareMs),
      inMemoryPerSecond: Math.round((hosts / memoryMs) * 1_000),
      timeToInMemory: round(totalMs / memoryMs),
    },
  };
}

type Call = (command: string, query: Record<string, number>) => Promise<unknown>;

function createCall(workerd: Miniflare): Call {
  return async (command, query) => {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) search.set(name, String(value));
    const response = await workerd.dispatchFetch(`http://bench/${command}?${search}`);
    if (!response.ok) throw new Error(`${command}: ${response.status} ${await response.text()}`);
    return response.json();
  };
}

/** The first chunk of a new mesh, right before the chunk that it is compared with: what else the machine does weighs on both alike. */
async function timeFirstChunk(
  call: Call,
  addChunk: (mesh: number, first: number) => Promise<number>,
  mesh: number,
): Promise<number> {
  await call("initialise", { mesh });
  return addChunk(mesh, 1);
}

async function timeBare(call: Call, chunk: number, hosts: number): Promise<number> {
  await call("initialise", { mesh: 3 });
  const started = performance.now();
  for (let done = 0; done < hosts; done += chunk) await call("bare", { mesh: 3, count: Math.min(chunk, hosts - done) });
  return since(started);
}

/** The same decisions over arrays in this process: what the algorithm costs without a database. */
function timeMemory(hosts: number): number {
  const storage = createMemoryAddressStorage();
  fillAddressPool(storage, hosts);
  const pool = createAddressPool(storage, hosts);
  const started = performance.now();
  for (let count = 0; count < hosts; count++) pool.allocateLowest(0);
  return Math.max(since(started), 0.1);
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
