// The whole grid on one lab: every machine enrols once, then each cell gets a mesh of its own.
import { createFleet, type Fleet } from "../fleet/fleet.ts";
import { eventually } from "../lab/probes/eventually.ts";
import type { Cell, GridResult } from "./cell.ts";
import { gridTopology, NETWORK_KINDS } from "./kinds.ts";
import { CELL_LIMITS, measureCell } from "./measure-cell.ts";
import { type PlannedCell, scheduleCells } from "./schedule.ts";
import { summariseGrid } from "./summarise-grid.ts";

const ENROL_LIMIT_MS = 60_000;
/** Machines that enrol together: each is a program that starts. */
const ENROL_AT_ONCE = 4;

export interface GridOptions {
  /** Cells measured together. Joining takes each of two agents about a second of processor time: with more than one cell two cores are measured. */
  readonly atOnce: number;
  /** How often easy to easy and easy to hard are measured, one pair at a time, beside the grid's own cells. */
  readonly runs: number;
  readonly onCell?: (cell: Cell) => void;
  readonly signal?: AbortSignal;
}

export async function runGrid({ atOnce, runs, onCell = () => {}, signal }: GridOptions): Promise<GridResult> {
  await using fleet = await createFleet({ topology: gridTopology(), ...(signal ? { signal } : {}) });
  const machineIds = await enrolInTurn(fleet);
  let number = 0;
  const measure = async (planned: PlannedCell): Promise<Cell> => {
    signal?.throwIfAborted();
    const cell = await measureCell({ fleet, planned, number: number++, machineIds, limits: CELL_LIMITS });
    onCell(cell);
    return cell;
  };
  const repeat = async (planned: PlannedCell): Promise<Cell[]> => {
    const cells: Cell[] = [];
    for (let run = 0; run < runs; run++) cells.push(await measure(planned));
    return cells;
  };

  const cells: Cell[] = [];
  for (const batch of scheduleCells(NETWORK_KINDS, { atOnce })) cells.push(...(await Promise.all(batch.map(measure))));
  const easyEasy = await repeat({ from: "easy", to: "easy" });
  const easyHard = await repeat({ from: "easy", to: "hard" });
  return summariseGrid(cells, { easyEasy, easyHard });
}

/** Machine ids by name. */
async function enrolInTurn(fleet: Fleet): Promise<Map<string, string>> {
  const { token } = await fleet.api.createJoinToken();
  const online = async () => (await fleet.api.listMachines()).filter((machine) => machine.online);
  for (let first = 0; first < fleet.agents.length; first += ENROL_AT_ONCE) {
    const group = fleet.agents.slice(first, first + ENROL_AT_ONCE);
    await Promise.all(group.map((agent) => agent.up({ token })));
    await eventually(async () => (await online()).length === first + group.length, {
      withinMs: ENROL_LIMIT_MS,
      everyMs: 200,
      describe: `${group.map((agent) => agent.machine.name).join(", ")} are online`,
    });
  }
  return new Map((await online()).map((machine) => [machine.name, machine.id]));
}
