// Whether all is as it was before a fault: every agent connected and at the mesh's newest revision, every pair on its path and pinging over both
// families, the network behind dora routed, and everything acknowledged to be seen.
import { setTimeout as delay } from "node:timers/promises";
import { readExplanations } from "../../fleet/local-api.ts";
import { pingOnce } from "../../fleet/reach.ts";
import { readAllowedPeer, readBirdRoutes } from "../../fleet/routing.ts";
import { ANNOUNCER, type FaultFleet, isRelayed, MACHINES, NETWORK } from "../kinds/fault.ts";
import type { Changes } from "../load/changes.ts";
import { toPairs } from "../load/fault-fleet.ts";
import type { Ledger } from "../load/ledger.ts";
import type { Pings } from "../load/pings.ts";

const LOOK_EVERY_MS = 100;

/** Rejects with what is missing yet. */
type Check = () => Promise<void>;

export interface Convergence {
  /** Null: never. */
  readonly ms: number | null;
  /** When each part was so, for good as far as it was seen. */
  readonly parts: Readonly<Record<string, number | null>>;
  /** What each part lacked last before it was well, in words. */
  readonly waitedFor: Readonly<Record<string, string>>;
  /** What is missing at the end, in words. */
  readonly missing: readonly string[];
}

export interface ConvergenceInput {
  readonly pings: Pick<Pings, "received">;
  readonly changes: Changes;
  readonly ledger: Ledger;
  readonly limitMs: number;
}

/** Watches from now until all is well at one look, or the limit. */
export async function watchConvergence(
  on: FaultFleet,
  { pings, changes, ledger, limitMs }: ConvergenceInput,
): Promise<Convergence> {
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  const checks: Record<string, Check> = {
    control: () => checkControl(on),
    reach: createReachCheck(on, pings),
    paths: () => checkPaths(on),
    routes: () => checkRoutes(on),
    acknowledged: async () => fail(ledger.findLost(await changes.read())),
  };
  const parts: Record<string, number | null> = {};
  const waitedFor: Record<string, string> = {};
  /** Each in its own time, so that a slow look at one part makes no other one late. */
  const untilWell = async (name: string, check: Check): Promise<void> => {
    while (parts[name] == null && elapsed() <= limitMs)
      try {
        await check();
        parts[name] = elapsed();
      } catch (error) {
        waitedFor[name] = `${elapsed()} ms: ${toMessage(error)}`;
        await delay(LOOK_EVERY_MS);
      }
  };
  for (;;) {
    await Promise.all(Object.entries(checks).map(([name, check]) => untilWell(name, check)));
    // What was well may have become worse while the others were waited for.
    const missing = await lookAt(checks);
    if (missing.size === 0)
      return { ms: Math.max(...Object.values(parts).map((ms) => ms ?? 0)), parts, waitedFor, missing: [] };
    for (const name of missing.keys()) parts[name] = null;
    if (elapsed() > limitMs)
      return { ms: null, parts, waitedFor, missing: [...missing].map(([name, why]) => `${name}: ${why}`) };
  }
}

/** What is missing of each part that is not well. */
async function lookAt(checks: Readonly<Record<string, Check>>): Promise<Map<string, string>> {
  const missing = new Map<string, string>();
  const looks = Object.entries(checks).map(([name, check]) =>
    check().catch((error: unknown) => missing.set(name, toMessage(error))),
  );
  await Promise.all(looks);
  return missing;
}

/** By the API, which each agent tells what it has applied and what it could not: asking an agent for its status makes it start programs. */
async function checkControl({ fleet, mesh }: FaultFleet): Promise<void> {
  const members = await fleet.api.listMembers(mesh.id);
  fail(
    MACHINES.flatMap((name) => {
      const member = members.find((one) => one.name === name);
      if (member?.appliedRevision == null || !member.online) return [`${name} is not connected`];
      const [failure] = member.failures;
      if (failure) return [`${name} failed at ${failure.step}: ${failure.message}`];
      const { appliedRevision, meshRevision } = member;
      return appliedRevision < meshRevision ? [`${name} has applied ${appliedRevision} of ${meshRevision}`] : [];
    }),
  );
}

/** By the pings that run, and one to each over IPv6: more would take the processor from what is measured. */
function createReachCheck({ fleet, addresses }: FaultFleet, pings: Pick<Pings, "received">): Check {
  const before = pings.received();
  const wanted = toPairs().map(([from, to]) => ({ from, to, address: addresses.get(to)?.ipv6 ?? "" }));
  const reached = new Set<object>();
  return async () => {
    for (const one of wanted.filter((pair) => !reached.has(pair)))
      if (await pingOnce(fleet.lab.machine(one.from), one.address, { timeoutMs: 500 })) reached.add(one);
    const silent = pings.received().filter((count, index) => count <= (before[index] ?? 0)).length;
    fail([
      ...wanted.filter((pair) => !reached.has(pair)).map(({ from, to }) => `${from} → ${to} over IPv6`),
      ...(silent === 0 ? [] : [`${silent} pings over IPv4`]),
    ]);
  };
}

async function checkPaths({ fleet, mesh }: FaultFleet): Promise<void> {
  const ways = toPairs().flatMap(([a, b]) => [[a, b] as const, [b, a] as const]);
  const seen = await Promise.all(
    ways.map(async ([from, to]) => {
      const wanted = isRelayed([from, to]) ? "relayed" : "direct";
      const found = (await readExplanations(fleet.lab.machine(from), to)).find(({ meshId }) => meshId === mesh.id);
      return found?.path === wanted
        ? []
        : [`${from} → ${to} is ${found?.path ?? "unknown"} (${found?.reason?.code}: ${found?.reason?.message})`];
    }),
  );
  fail(seen.flat());
}

async function checkRoutes({ fleet, addresses }: FaultFleet): Promise<void> {
  const to = addresses.get(ANNOUNCER)?.ipv4 ?? "";
  const problems = await Promise.all(
    MACHINES.filter((name) => name !== ANNOUNCER).map(async (name) => {
      const machine = fleet.lab.machine(name);
      const route = (await readBirdRoutes(machine)).find(({ prefix }) => prefix === NETWORK.prefix);
      const allowed = await readAllowedPeer(machine, NETWORK.prefix);
      if (route?.nextHop !== to) return `${name}'s kernel has ${route?.nextHop ?? "no route"}`;
      return allowed?.includes(`${to}/32`) ? null : `${name}'s WireGuard sends it to nobody`;
    }),
  );
  fail(problems.filter((one) => one !== null));
}

const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function fail(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join("; "));
}
