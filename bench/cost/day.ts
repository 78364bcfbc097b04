// What agents do in a day, and what each of these things is billed as. The heartbeats' times are the product's own; how often a machine moves or
// reconnects is an assumption, written here and nowhere else. Pure.
import { MACHINE_HEARTBEAT_INTERVAL_MS, MESH_HEARTBEAT_INTERVAL_MS } from "#schema/limits";
import { addUsage, NO_USAGE, type Usage } from "./bill.ts";

export const DAY_MS = 86_400_000;

/** Of one agent in one mesh, a day. */
export interface Behaviour {
  /** Both of its connections end and are made again. */
  readonly reconnects: number;
  /** It has other endpoints, which every member is told. */
  readonly endpointChanges: number;
  /** A link takes another path, which is kept as an event. */
  readonly pathChanges: number;
}

export const IDLE: Behaviour = { reconnects: 0, endpointChanges: 0, pathChanges: 0 };
/** A control plane that is deployed twice, a network that changes once, one path that does. */
export const BUSY_DAY: Behaviour = { reconnects: 2, endpointChanges: 1, pathChanges: 1 };

/** Measured in workerd: bench/cost/cost.test.ts holds them to what is counted there. */
const UNIT_COSTS = {
  meshHeartbeat: { objectMessages: 1 },
  machineHeartbeat: { objectMessages: 1 },
  /** Two upgrades; two closes, two hellos and an acknowledgement; when each was seen last is written. */
  reconnect: { workerRequests: 2, objectRequests: 2, objectMessages: 5, objectRowsWritten: 2 },
  /** Without the acknowledgements. */
  endpointChange: { objectMessages: 1, objectRowsWritten: 4 },
  /** Of each member that was told, the one that changed too. */
  acknowledgement: { objectMessages: 1 },
  pathChange: { objectMessages: 1, objectRowsWritten: 2 },
} as const satisfies Record<string, Partial<Usage>>;

export interface Fleet {
  readonly agents: number;
  /** They are spread over as many meshes, each in one. */
  readonly meshes: number;
}

/** Requests and rows written of all agents in a day. Rows read are not modelled: 25 thousand million of them are in the plan. */
export function modelDay({ agents, meshes }: Fleet, { reconnects, endpointChanges, pathChanges }: Behaviour): Usage {
  const add = (usage: Usage, unit: Partial<Usage>, perAgent: number) => addUsage(usage, unit, perAgent * agents);
  let usage = add(NO_USAGE, UNIT_COSTS.meshHeartbeat, DAY_MS / MESH_HEARTBEAT_INTERVAL_MS);
  usage = add(usage, UNIT_COSTS.machineHeartbeat, DAY_MS / MACHINE_HEARTBEAT_INTERVAL_MS);
  usage = add(usage, UNIT_COSTS.reconnect, reconnects);
  usage = add(usage, UNIT_COSTS.endpointChange, endpointChanges);
  usage = add(usage, UNIT_COSTS.acknowledgement, endpointChanges * (agents / meshes));
  return add(usage, UNIT_COSTS.pathChange, pathChanges);
}

export type DayEvent = "meshHeartbeat" | "machineHeartbeat" | "reconnect" | "endpointChange" | "pathChange";

/** How often something that happens `perDay` times, spread evenly over the fleet, happens to agent number `index` between two times of the day. */
export function countDue(
  perDay: number,
  { index, agents }: { index: number; agents: number },
  fromMs: number,
  untilMs: number,
): number {
  const phase = index / agents;
  const at = (ms: number) => Math.floor((ms / DAY_MS) * perDay + phase);
  return at(untilMs) - at(fromMs);
}

export function listDue(
  behaviour: Behaviour,
  agent: { index: number; agents: number },
  fromMs: number,
  untilMs: number,
): DayEvent[] {
  const rates: [DayEvent, number][] = [
    ["meshHeartbeat", DAY_MS / MESH_HEARTBEAT_INTERVAL_MS],
    ["machineHeartbeat", DAY_MS / MACHINE_HEARTBEAT_INTERVAL_MS],
    ["reconnect", behaviour.reconnects],
    ["endpointChange", behaviour.endpointChanges],
    ["pathChange", behaviour.pathChanges],
  ];
  return rates.flatMap(([event, perDay]) => Array<DayEvent>(countDue(perDay, agent, fromMs, untilMs)).fill(event));
}
