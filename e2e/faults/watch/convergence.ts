// Whether all is as it was before a fault: every agent connected and at the mesh's newest revision, every pair on its path and pinging over both
// families, the network behind dora routed, and everything acknowledged to be seen.
import { setTimeout as delay } from "node:timers/promises";
import { readPeers, readStatus } from "../../fleet/local-api.ts";
import { pingOnce } from "../../fleet/reach.ts";
import { readAllowedPeer, readBirdRoutes } from "../../fleet/routing.ts";
import { ANNOUNCER, type FaultFleet, isRelayed, MACHINES, NETWORK } from "../kinds/fault.ts";
import type { Changes } from "../load/changes.ts";
import { toPairs } from "../load/fault-fleet.ts";
import type { Ledger } from "../load/ledger.ts";

const LOOK_EVERY_MS = 100;

/** Rejects with what is missing yet. */
type Check = () => Promise<void>;

export interface Convergence {
  /** Null: never. */
  readonly ms: number | null;
  /** When each part was so, for good as far as it was seen. */
  readonly parts: Readonly<Record<string, number | null>>;
  /** What is missing at the end, in words. */
  readonly missing: readonly string[];
}

/** Watches from now until all is well at one look, or the limit. */
export async function watchConvergence(
  on: FaultFleet,
  { changes, ledger, limitMs }: { changes: Changes; ledger: Ledger; limitMs: number },
): Promise<Convergence> {
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  const checks: Record<string, Check> = {
    control: () => checkControl(on),
    reach: createReachCheck(on),
    paths: () => checkPaths(on),
    routes: () => checkRoutes(on),
    acknowledged: async () => fail(ledger.findLost(await changes.read())),
  };
  const parts: Record<string, number | null> = {};
  /** Each in its own time, so that a slow look at one part makes no other one late. */
  const untilWell = async (name: string, check: Check): Promise<void> => {
    while (parts[name] == null && elapsed() <= limitMs)
      try {
        await check();
        parts[name] = elapsed();
      } catch {
        await delay(LOOK_EVERY_MS);
      }
  };
  for (;;) {
    await Promise.all(Object.entries(checks).map(([name, check]) => untilWell(name, check)));
    // What was well may have become worse while the others were waited for.
    const missing = await lookAt(checks);
    if (missing.size === 0) return { ms: Math.max(...Object.values(parts).map((ms) => ms ?? 0)), parts, missing: [] };
    for (const name of missing.keys()) parts[name] = null;
    if (elapsed() > limitMs) return { ms: null, parts, missing: [...missing].map(([name, why]) => `${name}: ${why}`) };
  }
}

/** What is missing of each part that is not well. */
async function lookAt(checks: Readonly<Record<string, Check>>): Promise<Map<string, string>> {
  const missing = new Map<string, string>();
  const looks = Object.entries(checks).map(([name, check]) =>
    check().catch((error: unknown) => missing.set(name, error instanceof Error ? error.message : String(error))),
  );
  await Promise.all(looks);
  return missing;
}

async function checkControl({ fleet, mesh }: FaultFleet): Promise<void> {
  const members = await fleet.api.listMembers(mesh.id);
  const problems = await Promise.all(
    MACHINES.map(async (name) => {
      const member = members.find((one) => one.name === name);
      const { controlPlane, meshes, failures } = await readStatus(fleet.lab.machine(name));
      const joined = meshes.find(({ meshId }) => meshId === mesh.id);
      if (controlPlane.link.state !== "connected") return `${name} is ${controlPlane.link.state}`;
      if (joined?.link.state !== "connected") return `${name}'s mesh is ${joined?.link.state ?? "unknown"}`;
      if (!member?.online) return `${name} is not online`;
      const [told, has] = [member.appliedRevision ?? -1, joined.appliedRevision ?? -1];
      if (Math.min(told, has) < member.meshRevision)
        return `${name} told ${told}, has ${has} of ${member.meshRevision}`;
      const [failure] = [...failures, ...joined.failures];
      return failure ? `${name} failed at ${failure.step}: ${failure.message}` : null;
    }),
  );
  fail(problems.filter((one) => one !== null));
}

/** What was reached once is not asked again: many pings at once take the processor from what is measured. */
function createReachCheck({ fleet, addresses }: FaultFleet): Check {
  const pings = toPairs()
    .flatMap(([a, b]) => [[a, b] as const, [b, a] as const])
    .flatMap(([from, to]) => {
      const { ipv4 = "", ipv6 = "" } = addresses.get(to) ?? {};
      return [ipv4, ipv6].map((address) => ({ from, to, address }));
    });
  const reached = new Set<string>();
  const name = ({ from, address }: { from: string; address: string }) => `${from} → ${address}`;
  return async () => {
    for (const [from] of MACHINES.entries())
      await Promise.all(
        pings
          .filter((one) => one.from === MACHINES[from] && !reached.has(name(one)))
          .map(async (one) => {
            if (await pingOnce(fleet.lab.machine(one.from), one.address, { timeoutMs: 1_000 })) reached.add(name(one));
          }),
      );
    fail(pings.map(name).filter((one) => !reached.has(one)));
  };
}

async function checkPaths({ fleet }: FaultFleet): Promise<void> {
  const seen = await Promise.all(
    MACHINES.map(async (name) => [name, await readPeers(fleet.lab.machine(name))] as const),
  );
  fail(
    seen.flatMap(([name, peers]) =>
      MACHINES.filter((other) => other !== name).flatMap((other) => {
        const peer = peers.find(({ machine }) => machine === other);
        const wanted = isRelayed([name, other]) ? "relayed" : "direct";
        return peer?.path === wanted
          ? []
          : [
              `${name} → ${other} is ${peer?.path ?? "unknown"} (${peer?.pathReason?.code}: ${peer?.pathReason?.message})`,
            ];
      }),
    ),
  );
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

function fail(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join("; "));
}
