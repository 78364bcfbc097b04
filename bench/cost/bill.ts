// From what was counted to what it costs. Pure.
import {
  ACTIVE_MS_PER_EVENT,
  DAYS_A_MONTH,
  FREE_A_DAY,
  MESSAGES_PER_REQUEST,
  OBJECT_GB,
  PLAN_USD,
  PRICES,
} from "./prices.ts";

/** Events and rows of a while, of all agents together. */
export interface Usage {
  readonly workerRequests: number;
  readonly objectRequests: number;
  readonly objectMessages: number;
  readonly objectRowsRead: number;
  readonly objectRowsWritten: number;
  readonly databaseRowsRead: number;
  readonly databaseRowsWritten: number;
}

export const NO_USAGE: Usage = {
  workerRequests: 0,
  objectRequests: 0,
  objectMessages: 0,
  objectRowsRead: 0,
  objectRowsWritten: 0,
  databaseRowsRead: 0,
  databaseRowsWritten: 0,
};

export function mapUsage(usage: Usage, change: (count: number, name: keyof Usage) => number): Usage {
  const names = Object.keys(NO_USAGE) as (keyof Usage)[];
  return Object.fromEntries(names.map((name) => [name, change(usage[name], name)])) as unknown as Usage;
}

export const addUsage = (one: Usage, other: Partial<Usage>, times = 1): Usage =>
  mapUsage(one, (count, name) => count + (other[name] ?? 0) * times);

/** Requests of the Worker and of objects, as they are billed. */
export const toRequestUnits = ({ workerRequests, objectRequests, objectMessages }: Usage): number =>
  workerRequests + objectRequests + objectMessages / MESSAGES_PER_REQUEST;

export const toRowsWritten = ({ objectRowsWritten, databaseRowsWritten }: Usage): number =>
  objectRowsWritten + databaseRowsWritten;

/** The quantities that have prices. */
function toBilled(usage: Usage): Record<keyof typeof PRICES, number> {
  const { objectMessages, objectRequests, ...others } = usage;
  return {
    ...others,
    objectRequests: objectRequests + objectMessages / MESSAGES_PER_REQUEST,
    objectGbSeconds: ((objectRequests + objectMessages) * ACTIVE_MS_PER_EVENT * OBJECT_GB) / 1_000,
  };
}

export interface Bill {
  readonly usd: number;
  /** What goes beyond the plan, by name; the plan's own price is not in it. */
  readonly beyondPlanUsd: Readonly<Record<string, number>>;
  /** Of a month. */
  readonly quantities: Readonly<Record<string, number>>;
  /** Whether the free plan would do, by its limits of a day. */
  readonly fitsFreePlan: boolean;
}

export function toMonthlyBill(usageOfDay: Usage): Bill {
  const day = toBilled(usageOfDay);
  const names = Object.keys(PRICES) as (keyof typeof PRICES)[];
  const quantities = Object.fromEntries(names.map((name) => [name, Math.round(day[name] * DAYS_A_MONTH)]));
  const costs = names.map((name) => {
    const { included, usdPerMillion } = PRICES[name];
    return [name, (Math.max(0, day[name] * DAYS_A_MONTH - included) / 1e6) * usdPerMillion] as const;
  });
  const fitsFreePlan =
    day.workerRequests <= FREE_A_DAY.workerRequests &&
    day.objectRequests <= FREE_A_DAY.objectRequests &&
    day.objectGbSeconds <= FREE_A_DAY.objectGbSeconds &&
    day.objectRowsWritten <= FREE_A_DAY.rowsWritten &&
    day.databaseRowsWritten <= FREE_A_DAY.rowsWritten;
  return {
    usd: roundCents(costs.reduce((sum, [, usd]) => sum + usd, PLAN_USD)),
    beyondPlanUsd: Object.fromEntries(costs.filter(([, usd]) => usd > 0).map(([name, usd]) => [name, roundCents(usd)])),
    quantities,
    fitsFreePlan,
  };
}

const roundCents = (usd: number): number => Math.round(usd * 100) / 100;
