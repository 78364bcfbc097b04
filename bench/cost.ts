// bench cost: what a fleet costs on Cloudflare. A day of agents against the real Worker, by a clock that is moved; what is billed is counted where it
// arrives, and priced by bench/cost/prices.ts.
import { parseArgs } from "node:util";
import { toMonthlyBill, toRequestUnits, toRowsWritten } from "./cost/bill.ts";
import { BUSY_DAY, IDLE, modelDay } from "./cost/day.ts";
import { ACTIVE_MS_PER_EVENT, MESSAGES_PER_REQUEST, PLAN_USD, PRICES } from "./cost/prices.ts";
import { type Simulated, startSimulation } from "./cost/simulate.ts";
import { round, since } from "./lib/measure.ts";

export const summary =
  "cost       a month on Cloudflare, idle and with a day's changes (--agents 1000 --hours 24 --meshes 1)";

/** For the table: the model alone, which the simulation is held against. */
const FLEETS = [10, 100, 1_000, 5_000];

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: {
      agents: { type: "string", default: "1000" },
      hours: { type: "string", default: "24" },
      meshes: { type: "string", default: "1" },
    },
  });
  const fleet = { agents: Number(values.agents), meshes: Number(values.meshes) };
  const hours = Number(values.hours);
  const started = performance.now();
  const simulation = await startSimulation(fleet);
  try {
    process.stderr.write(`${fleet.agents} agents are connected: ${since(started)} ms\n`);
    const idle = describe(fleet, await simulation.run(IDLE, hours), IDLE);
    process.stderr.write(
      `${hours} hours at rest: ${idle.requestUnitsPerAgentDay} request units of an agent in a day\n`,
    );
    const busy = describe(fleet, await simulation.run(BUSY_DAY, hours), BUSY_DAY);
    process.stderr.write(`${hours} hours with changes: ${busy.requestUnitsPerAgentDay}\n`);
    return {
      bench: "cost",
      ...fleet,
      hours,
      requestUnitsPerAgentDay: idle.requestUnitsPerAgentDay,
      rowsWrittenPerAgentDay: idle.rowsWrittenPerAgentDay,
      usdPerMonth: idle.bill.usd,
      idle,
      busyDay: busy,
      table: FLEETS.map((agents) => toRow(agents)),
      prices: {
        planUsd: PLAN_USD,
        messagesPerRequest: MESSAGES_PER_REQUEST,
        activeMsPerEvent: ACTIVE_MS_PER_EVENT,
        ...PRICES,
      },
      reference: { simulatedInMs: since(started) },
    };
  } finally {
    await simulation.stop();
  }
}

type Fleet = Parameters<typeof modelDay>[0];
type Behaviour = Parameters<typeof modelDay>[1];

function describe(fleet: Fleet, { usageOfDay, bytesOfDay }: Simulated, behaviour: Behaviour) {
  const { agents } = fleet;
  return {
    behaviour,
    requestUnitsPerAgentDay: round(toRequestUnits(usageOfDay) / agents, 2),
    rowsWrittenPerAgentDay: round(toRowsWritten(usageOfDay) / agents, 2),
    modelled: {
      requestUnitsPerAgentDay: round(toRequestUnits(modelDay(fleet, behaviour)) / agents, 2),
      rowsWrittenPerAgentDay: round(toRowsWritten(modelDay(fleet, behaviour)) / agents, 2),
    },
    perAgentDay: Object.fromEntries(
      Object.entries(usageOfDay).map(([name, count]) => [name, round(count / agents, 2)]),
    ),
    bytesSentPerAgentDay: Math.round(bytesOfDay / agents),
    bill: toMonthlyBill(usageOfDay),
  };
}

function toRow(agents: number) {
  const inOneMesh = { agents, meshes: 1 };
  const inHundreds = { agents, meshes: Math.ceil(agents / 100) };
  const [idle, busy, busyInHundreds] = [
    modelDay(inOneMesh, IDLE),
    modelDay(inOneMesh, BUSY_DAY),
    modelDay(inHundreds, BUSY_DAY),
  ];
  return {
    agents,
    idleUsd: toMonthlyBill(idle).usd,
    busyDayUsd: toMonthlyBill(busy).usd,
    busyDayInMeshesOf100Usd: toMonthlyBill(busyInHundreds).usd,
    idleFitsFreePlan: toMonthlyBill(idle).fitsFreePlan,
    busyDayFitsFreePlan: toMonthlyBill(busy).fitsFreePlan,
  };
}
