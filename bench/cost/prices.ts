// Cloudflare's prices of its Workers Paid plan, in US dollars, as read on 2026-11-23. All of `bench cost` reckons with these and no others.
//
//   Workers            https://developers.cloudflare.com/workers/platform/pricing/
//   Durable Objects    https://developers.cloudflare.com/durable-objects/platform/pricing/
//   D1                 https://developers.cloudflare.com/d1/platform/pricing/

export interface Price {
  /** In the plan's own price, each month. */
  readonly included: number;
  /** For a million beyond that. */
  readonly usdPerMillion: number;
}

/** Each month, whatever is used. */
export const PLAN_USD = 5;

export const PRICES = {
  workerRequests: { included: 10e6, usdPerMillion: 0.3 },
  /** HTTP requests, calls, alarms, and WebSocket messages, of which twenty are one. */
  objectRequests: { included: 1e6, usdPerMillion: 0.15 },
  /** Of 128 MB, while an object computes or can't hibernate. */
  objectGbSeconds: { included: 400_000, usdPerMillion: 12.5 },
  objectRowsRead: { included: 25e9, usdPerMillion: 0.001 },
  objectRowsWritten: { included: 50e6, usdPerMillion: 1 },
  databaseRowsRead: { included: 25e9, usdPerMillion: 0.001 },
  databaseRowsWritten: { included: 50e6, usdPerMillion: 1 },
} as const satisfies Record<string, Price>;

export const MESSAGES_PER_REQUEST = 20;
export const OBJECT_GB = 0.125;
export const DAYS_A_MONTH = 30;

/** Of the Workers Free plan, a day; beyond it requests fail until midnight UTC. */
export const FREE_A_DAY = {
  workerRequests: 100_000,
  objectRequests: 100_000,
  objectGbSeconds: 13_000,
  rowsWritten: 100_000,
};

/**
 * How long an object is billed for one event, in milliseconds. An estimate, and a high one: it computes for less than one, and the rest is what waking
 * may take (9 to 29 ms were seen here of an object that slept, which most are not).
 */
export const ACTIVE_MS_PER_EVENT = 10;
