// One cell: a mesh of its own with the two machines, watched until its path is what it will be. The agents have enrolled before and are in
// no other mesh, so what is measured is from the moment at which the second machine is put beside the first.
import { setTimeout as delay } from "node:timers/promises";
import type { PeerExplanation } from "#schema/path";
import type { Fleet } from "../fleet/fleet.ts";
import { readExplanations, readStatus } from "../fleet/local-api.ts";
import { pingOnce } from "../fleet/reach.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import type { Cell } from "./cell.ts";
import { expectedPath } from "./expected-path.ts";
import { isSettled, judgeCell, type Observation } from "./judge-cell.ts";
import { machineName } from "./kinds.ts";
import type { PlannedCell } from "./schedule.ts";

export interface CellLimits {
  readonly firstPingMs: number;
  /** How long a pair that can be direct may take. */
  readonly directMs: number;
  /** How long a pair that can't is watched at least: it must stay as it is; and at most. */
  readonly relayedMs: readonly [least: number, most: number];
}

export const CELL_LIMITS: CellLimits = { firstPingMs: 10_000, directMs: 30_000, relayedMs: [2_000, 15_000] };

const LOOK_EVERY_MS = 25;
const STATUS_EVERY_MS = 150;
/** A ping that waits in WireGuard for the handshake is answered when that is done; one that finds no route ends at once. */
const PING_TIMEOUT_MS = 250;
const PING_PAUSE_MS = 20;
const SETTLE_MS = 20_000;

export interface CellInput {
  readonly fleet: Fleet;
  readonly planned: PlannedCell;
  /** Of this run, from 0: the mesh gets its name and network from it. */
  readonly number: number;
  readonly machineIds: ReadonlyMap<string, string>;
  readonly limits: CellLimits;
}

export async function measureCell({ fleet, planned, number, machineIds, limits }: CellInput): Promise<Cell> {
  const { api, lab } = fleet;
  const [from, to] = [lab.machine(machineName(planned.from, "a")), lab.machine(machineName(planned.to, "b"))];
  const idOf = (machine: LabNode) => machineIds.get(machine.name) ?? "";
  const cidr = `10.${100 + Math.floor(number / 256)}.${number % 256}.0/24`;
  const mesh = await api.createMesh({ name: `cell-${number}`, cidr });
  try {
    await api.addMember(mesh.id, idOf(from));
    await untilInMesh(from, mesh.id);
    const startedAt = performance.now();
    const sinceStart = () => Math.round(performance.now() - startedAt);
    const { address } = await api.addMember(mesh.id, idOf(to));
    const pinging = untilPinged(from, address, { withinMs: limits.firstPingMs, sinceStart });
    const seen = await watchPaths({ planned, from, to, meshId: mesh.id, limits, sinceStart });
    return judgeCell(planned, { ...seen, firstPingMs: await pinging });
  } finally {
    await api.deleteMesh(mesh.id);
    await Promise.all([from, to].map((machine) => untilOutOfMesh(machine, mesh.id)));
  }
}

interface Watch {
  readonly planned: PlannedCell;
  readonly from: LabNode;
  readonly to: LabNode;
  readonly meshId: string;
  readonly limits: CellLimits;
  readonly sinceStart: () => number;
}

async function watchPaths({ planned, from, to, meshId, limits, sinceStart }: Watch): Promise<Observation> {
  const isToBeDirect = expectedPath(planned.from, planned.to).path === "direct";
  const [least, most] = isToBeDirect ? [0, limits.directMs] : limits.relayedMs;
  for (;;) {
    const [here, there] = await Promise.all([readPath(from, to, meshId), readPath(to, from, meshId)]);
    const isDirect = here?.path === "direct" && there?.path === "direct";
    const elapsed = sinceStart();
    // The first ping is another's business: 0 stands for "answered" here.
    const seen = { firstPingMs: 0, directMs: isDirect ? elapsed : null, from: here, to: there };
    if (elapsed >= most || (elapsed >= least && isSettled(planned, seen))) return seen;
    await delay(LOOK_EVERY_MS);
  }
}

async function untilPinged(
  from: LabNode,
  address: string,
  { withinMs, sinceStart }: { withinMs: number; sinceStart: () => number },
): Promise<number | null> {
  while (sinceStart() < withinMs) {
    if (await pingOnce(from, address, { timeoutMs: PING_TIMEOUT_MS })) return sinceStart();
    await delay(PING_PAUSE_MS);
  }
  return null;
}

/** Null while it is not known. Unlike status and peers, explaining makes the agent start no program. */
async function readPath(machine: LabNode, peer: LabNode, meshId: string): Promise<PeerExplanation | null> {
  return (await readExplanations(machine, peer.name)).find((path) => path.meshId === meshId) ?? null;
}

async function untilInMesh(machine: LabNode, meshId: string): Promise<void> {
  const isIn = async () =>
    (await readStatus(machine)).meshes.some((mesh) => mesh.meshId === meshId && mesh.appliedRevision !== null);
  await eventually(isIn, { withinMs: SETTLE_MS, everyMs: STATUS_EVERY_MS, describe: `${machine.name} is in the mesh` });
}

async function untilOutOfMesh(machine: LabNode, meshId: string): Promise<void> {
  const isOut = async () => (await readStatus(machine)).meshes.every((mesh) => mesh.meshId !== meshId);
  await eventually(isOut, {
    withinMs: SETTLE_MS,
    everyMs: STATUS_EVERY_MS,
    describe: `${machine.name} has left the mesh`,
  });
}
