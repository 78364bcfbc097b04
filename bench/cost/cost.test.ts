import { describe, expect, onTestFinished, test } from "vitest";
import { addUsage, NO_USAGE, toMonthlyBill, toRequestUnits, type Usage } from "./bill.ts";
import { BUSY_DAY, countDue, DAY_MS, IDLE, modelDay } from "./day.ts";
import { startSimulation } from "./simulate.ts";

describe("a month's bill", () => {
  test("is the plan's price as long as the plan includes everything", () => {
    expect(toMonthlyBill(NO_USAGE)).toMatchObject({ usd: 5, beyondPlanUsd: {}, fitsFreePlan: true });
  });

  test("counts twenty messages for one request, and what goes beyond the plan", () => {
    // 3 million requests of objects a month: 2 million of them cost 0.15 each.
    const usage = addUsage(NO_USAGE, { objectRequests: 50_000, objectMessages: 1_000_000 });
    expect(toRequestUnits(usage)).toBe(100_000);
    // Each event keeps 128 MB busy for 10 ms: 1,050,000 × 30 × 0.00125 GB-s, of which 400,000 are in the plan.
    expect(toMonthlyBill(usage)).toMatchObject({ usd: 5.3, beyondPlanUsd: { objectRequests: 0.3 } });
  });

  test("has a dollar for a million rows written beyond the plan, and those end the free plan", () => {
    const usage = addUsage(NO_USAGE, { objectRowsWritten: 2_000_000 });
    expect(toMonthlyBill(usage)).toMatchObject({ usd: 15, fitsFreePlan: false });
  });
});

test("a day has every event as often as it should, whatever parts it is cut into", () => {
  for (const perDay of [0, 1, 2, 480]) {
    let count = 0;
    for (let hour = 0; hour < 24; hour++) {
      count += countDue(perDay, { index: 3, agents: 7 }, (hour * DAY_MS) / 24, ((hour + 1) * DAY_MS) / 24);
    }
    expect(count).toBe(perDay);
  }
});

describe("a day of a few agents in two meshes, counted in workerd", { timeout: 300_000 }, () => {
  /** What the model says anything about. */
  const toModelled = ({ objectRowsRead, databaseRowsRead, ...usage }: Usage) => usage;

  test("is what the model says, at rest and with changes; and nothing is written at rest", async () => {
    const fleet = { agents: 4, meshes: 2 };
    const simulation = await startSimulation(fleet);
    onTestFinished(simulation.stop);
    const idle = (await simulation.run(IDLE, 24)).usageOfDay;
    expect(toModelled(idle)).toEqual(toModelled(modelDay(fleet, IDLE)));
    expect([idle.objectRowsWritten, idle.databaseRowsWritten, idle.databaseRowsRead]).toEqual([0, 0, 0]);
    expect(toRequestUnits(idle) / fleet.agents).toBeLessThanOrEqual(40);

    const busy = (await simulation.run(BUSY_DAY, 24)).usageOfDay;
    expect(toModelled(busy)).toEqual(toModelled(modelDay(fleet, BUSY_DAY)));
  });
});
