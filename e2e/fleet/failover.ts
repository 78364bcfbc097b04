// What dies under a VIP or a gateway, and for how long nobody answers then: bob and carol hold a VIP in alice's mesh; gina and gustav join it to
// dora's.
import { readFileSync } from "node:fs";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";
import type { LabProcess } from "../lab/system/process.ts";
import { type Fleet, withFleet } from "./fleet.ts";
import { untilPath } from "./paths.ts";
import { pingOnce } from "./reach.ts";
import { createVip, readBirdRoutes, untilMembers, untilRouted } from "./routing.ts";

export interface FailoverFleet {
  /** Where it goes first; the other one takes over. Reset before each round. */
  readonly vip: Pair;
  readonly gateway: Pair;
  /** For how long nobody answered, in ms, each time that `kind` happened. */
  measure(kind: FailoverKind, rounds: number): Promise<number[]>;
}

/** `nothing`: what the measurement itself loses. */
export const FAILOVER_KINDS = ["nothing", "vipHolder", "vipService", "gateway", "silentPath"] as const;
export type FailoverKind = (typeof FAILOVER_KINDS)[number];

interface Pair {
  readonly first: Place;
  readonly second: Place;
}
interface Place {
  readonly name: string;
  readonly ipv4: string;
}

const VIP = "10.77.200.1";
const OTHER_MESH = "10.78.0.0/16";
const PORT = 7_000;
const INTERVAL_MS = 10;
const MACHINES = ["alice", "bob", "carol", "gina", "gustav", "dora"];
/** Answers before the death, and after it. */
const [BEFORE, AFTER] = [50, 100];
const BACK_LIMIT_MS = 60_000;
/** Service: the shortest that a check can be. */
const CHECK = { type: "tcp", target: `:${PORT}`, intervalSeconds: 1, timeoutSeconds: 1 } as const;

export async function withFailoverFleet(use: (fleet: FailoverFleet) => Promise<void>): Promise<void> {
  await withFleet({ machines: MACHINES.map((name) => ({ name })) }, async (fleet, office) => {
    // Without a relay a path that died is dead, and comes back as a direct one as soon as it can.
    await fleet.api.call("PATCH", `/meshes/${office.id}`, { fallback: "transit" });
    const shop = await fleet.api.createMesh({ name: "shop", cidr: OTHER_MESH });
    const join = async (meshIds: string[], names: readonly string[]) => {
      const { token } = await fleet.api.createJoinToken({ meshIds });
      await Promise.all(names.map((name) => fleet.agent(name).up({ token })));
    };
    await Promise.all([
      join([office.id], ["alice", "bob", "carol"]),
      join([office.id, shop.id], ["gina", "gustav"]),
      join([shop.id], ["dora"]),
    ]);
    const [, bob, carol, gina, gustav] = await untilMembers(fleet, office.id, MACHINES.slice(0, 5));
    const [dora] = await untilMembers(fleet, shop.id, ["dora"]);
    if (!bob || !carol || !gina || !gustav || !dora) throw new Error("all are members");
    for (const { machineId } of [gina, gustav])
      await fleet.api.call("PATCH", `/machines/${machineId}`, { gateway: true });
    const services = { bob: await startService(fleet, "bob"), carol: await startService(fleet, "carol") };
    await createVip(fleet, office.id, {
      ...{ name: "service", address: VIP, machineIds: [bob.machineId, carol.machineId] },
      healthCheck: { ...CHECK, healthyThreshold: 1, unhealthyThreshold: 1 },
    });
    const vip = inOrder({ name: "bob", ...bob }, { name: "carol", ...carol });
    const gateway = inOrder({ name: "gina", ...gina }, { name: "gustav", ...gustav });
    await use({
      vip,
      gateway,
      measure: (kind, rounds) => measure({ fleet, vip, gateway, dora: dora.ipv4, services }, kind, rounds),
    });
  });
}

interface Parts extends Pick<FailoverFleet, "vip" | "gateway"> {
  readonly fleet: Fleet;
  readonly dora: string;
  readonly services: Record<string, LabProcess>;
}

async function measure(parts: Parts, kind: FailoverKind, rounds: number): Promise<number[]> {
  const { fleet, vip, gateway, dora, services } = parts;
  const { lab } = fleet;
  const alice = lab.machine("alice");
  const silentMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await untilWhole(parts);
    switch (kind) {
      case "nothing":
        silentMs.push(await pingThrough(alice, VIP, async () => undefined));
        break;
      case "vipHolder":
        silentMs.push(await pingThrough(alice, VIP, () => lab.fallAsleep(vip.first.name)));
        await lab.wakeUp(vip.first.name);
        break;
      case "silentPath":
        silentMs.push(await pingThrough(alice, VIP, () => lab.blackhole("alice", vip.first.name)));
        await lab.heal("alice", vip.first.name);
        break;
      case "gateway":
        silentMs.push(await pingThrough(alice, dora, () => lab.fallAsleep(gateway.first.name)));
        await lab.wakeUp(gateway.first.name);
        break;
      case "vipService":
        silentMs.push(await askThrough(alice, async () => await services[vip.first.name]?.kill("SIGKILL")));
        services[vip.first.name] = await startService(fleet, vip.first.name);
    }
  }
  return silentMs;
}

/** Both holders and both gateways are there, the first of each is used, and the other one could be. */
async function untilWhole({ fleet, vip, gateway, dora }: Parts): Promise<void> {
  const alice = fleet.lab.machine("alice");
  const limit = { withinMs: BACK_LIMIT_MS };
  for (const { name } of [vip.first, vip.second, gateway.first, gateway.second])
    await untilPath(fleet, ["alice", name], "direct", limit);
  for (const { name } of [vip.first, vip.second]) {
    const hasVip = async () => (await fleet.lab.machine(name).exec(["ip", "-brief", "address"])).stdout.includes(VIP);
    await eventually(hasVip, { ...limit, describe: `${name} holds the VIP` });
  }
  await untilRouted(alice, `${VIP}/32`, vip.first.ipv4, limit);
  await untilRouted(alice, OTHER_MESH, gateway.first.ipv4, limit);
  const isBack = async () =>
    (await readBirdRoutes(fleet.lab.machine("dora"))).some(({ prefix }) => prefix === "10.77.0.0/16") &&
    (await pingOnce(alice, dora, { timeoutMs: 500 }));
  await eventually(isBack, { ...limit, describe: "dora is reached" });
}

async function pingThrough(from: LabNode, address: string, kill: () => Promise<void>): Promise<number> {
  const pings = await startPing(from, address, { intervalMs: INTERVAL_MS });
  await eventually(() => pings.received() > BEFORE, { withinMs: 10_000, describe: "pings flow" });
  await kill();
  const before = pings.received();
  await eventually(() => pings.received() > before + AFTER, { withinMs: BACK_LIMIT_MS, describe: "pings flow again" });
  return (await pings.stop()).lost * INTERVAL_MS;
}

/** A ping is answered by whoever holds the VIP; only somebody who connects notices that its service is dead. */
async function askThrough(from: LabNode, kill: () => Promise<unknown>): Promise<number> {
  const asking = await from.spawn([process.execPath, "-e", ASK]);
  const times = () =>
    readFileSync(asking.logFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
  await eventually(() => times().length > BEFORE, { withinMs: 10_000, describe: "answers flow" });
  await kill();
  const before = times().length;
  await eventually(() => times().length > before + AFTER, { withinMs: BACK_LIMIT_MS, describe: "answers flow again" });
  await asking.kill("SIGKILL");
  const gaps = times()
    .slice(before - 5)
    .map((at, index, all) => at - (all[index - 1] ?? at));
  return Math.max(0, Math.round(Math.max(...gaps) - INTERVAL_MS));
}

const ASK = `setInterval(() => {
  const socket = require("node:net").connect(${PORT}, "${VIP}");
  socket.setTimeout(1000, () => socket.destroy()).on("error", () => {});
  socket.on("data", () => { console.log(performance.timeOrigin + performance.now()); socket.destroy(); });
}, ${INTERVAL_MS})`;

/** Answers whoever connects. */
function startService({ lab }: Fleet, name: string): Promise<LabProcess> {
  const program = `require("node:net").createServer((socket) => socket.on("error", () => {}).end("here")).listen(${PORT})`;
  return lab.machine(name).spawn([process.execPath, "-e", program]);
}

/** BGP prefers the lower address of two that are alike. */
function inOrder<T extends Place>(one: T, other: T): { first: T; second: T } {
  const number = ({ ipv4 }: Place) => ipv4.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return number(one) < number(other) ? { first: one, second: other } : { first: other, second: one };
}
