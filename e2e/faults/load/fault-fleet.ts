// The fleet that faults happen to: alice behind an easy NAT, hugo behind a hard one, no UDP between their networks; carol with a small disk and
// dora with a network behind it, both public.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { createFleet, type Fleet } from "../../fleet/fleet.ts";
import { untilPath } from "../../fleet/paths.ts";
import { addNetwork, createRoute, untilMembers, untilRouted } from "../../fleet/routing.ts";
import type { TopologyInput } from "../../lab/plan/topology.ts";
import {
  ANNOUNCER,
  type FaultFleet,
  isRelayed,
  MACHINES,
  NETWORK,
  type Pair,
  RELAYED_PAIR,
  SMALL_DISK,
} from "../kinds/fault.ts";

const TOPOLOGY: TopologyInput = {
  lans: [{ name: "home" }, { name: "hotel", nat: "hard" }],
  machines: [{ name: "alice", lan: "home" }, { name: "hugo", lan: "hotel" }, { name: "carol" }, { name: "dora" }],
};
const MOVABLE_CLOCK = path.resolve(import.meta.dirname, "../kinds/movable-clock.mjs");
const START_LIMIT_MS = 120_000;

export async function createFaultFleet({ signal }: { signal?: AbortSignal } = {}): Promise<FaultFleet> {
  const fleet = await createFleet({ topology: TOPOLOGY, ...(signal ? { signal } : {}) });
  try {
    return await prepare(fleet);
  } catch (error) {
    const diagnostics = await fleet.lab.diagnostics();
    await fleet.down();
    throw new Error(`${String(error)}\n${diagnostics}`, { cause: error });
  }
}

async function prepare(fleet: Fleet): Promise<FaultFleet> {
  const { lab, api } = fleet;
  await lab.blackhole(...RELAYED_PAIR);
  await lab.machine(SMALL_DISK).exec(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", "/var/lib/becket"]);
  await addNetwork(lab.machine(ANNOUNCER), `${NETWORK.address}/32`);
  const mesh = await api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });

  const clockFile = (name: string) => path.join(lab.machine(name).files.folder, "clock");
  const moveClock = (name: string, byMs: number) => writeFileSync(clockFile(name), String(byMs));
  const start = async (name: string, token?: string) => {
    const env = { NODE_OPTIONS: `--import=${MOVABLE_CLOCK}`, BECKET_LAB_CLOCK: clockFile(name) };
    await fleet.agent(name).up({ env, ...(token === undefined ? {} : { token }) });
  };
  const { token } = await api.createJoinToken();
  for (const name of MACHINES) moveClock(name, 0);
  await Promise.all(MACHINES.map((name) => start(name, token)));
  await untilMembers(fleet, mesh.id, MACHINES);
  const addresses = await fleet.addresses(mesh.id);
  const announcer = addresses.get(ANNOUNCER);
  await createRoute(fleet, mesh.id, {
    name: "behind-dora",
    prefixes: [NETWORK.prefix],
    machineIds: [announcer?.machineId ?? ""],
  });
  await fleet.untilConnected(mesh.id, { withinMs: START_LIMIT_MS });
  for (const pair of toPairs())
    await untilPath(fleet, pair, isRelayed(pair) ? "relayed" : "direct", { withinMs: START_LIMIT_MS });
  for (const name of MACHINES.filter((one) => one !== ANNOUNCER))
    await untilRouted(lab.machine(name), NETWORK.prefix, announcer?.ipv4 ?? "");
  const dataFolder = path.join(lab.folder, "control-plane", "data");
  return { fleet, mesh, addresses, up: (name) => start(name), moveClock, dataFolder };
}

/** Each two of the machines once. */
export function toPairs(): Pair[] {
  return MACHINES.flatMap((from, index) => MACHINES.slice(index + 1).map((to): Pair => [from, to]));
}
