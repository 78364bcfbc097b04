// What Cloudflare bills, counted where it happens: events that reach an object, rows of objects and of D1, requests of the Worker. The platform's own
// classes are wrapped, so nothing of the product knows that it is counted.
import { env } from "cloudflare:workers";
import { realNow } from "./virtual-clock.ts";

export interface Billed {
  workerRequests: number;
  /** HTTP requests (WebSocket upgrades among them), calls by RPC, and alarms. */
  objectRequests: number;
  /** Messages and closes of WebSockets. Those that objects send are free, and so is what the runtime answers by itself. */
  objectMessages: number;
  objectRowsRead: number;
  objectRowsWritten: number;
  databaseRowsRead: number;
  databaseRowsWritten: number;
}

const NONE: Billed = {
  workerRequests: 0,
  objectRequests: 0,
  objectMessages: 0,
  objectRowsRead: 0,
  objectRowsWritten: 0,
  databaseRowsRead: 0,
  databaseRowsWritten: 0,
};

export const billed: Billed = { ...NONE };
/** Alarms that are set, or at work: what was begun before is not over. */
const alarms = { set: new Set<object>(), atWork: 0 };
export const countAlarms = (): number => alarms.set.size + alarms.atWork;
/** An alarm rings this soon, whatever it was set for: by the clock of the benchmark it may be hours away, or long over. */
const ALARM_MS = 50;
export const resetBilled = (): void => void Object.assign(billed, NONE);

type Method = (this: object, ...parameters: unknown[]) => unknown;
type Methods = Record<string, Method>;

function wrap(
  owner: object,
  name: string,
  before: () => void,
  after: (result: unknown) => unknown = (result) => result,
) {
  const methods = owner as Methods;
  const original = methods[name];
  if (original === undefined) return;
  methods[name] = function (...parameters) {
    before();
    return after(original.apply(this, parameters));
  };
}

const nothing = () => undefined;

/** Every way in which something reaches an object of this class. */
export function countEvents(objectClass: { readonly prototype: object }): void {
  for (const name of Object.getOwnPropertyNames(objectClass.prototype)) {
    if (name === "constructor") continue;
    const isMessage = name === "webSocketMessage" || name === "webSocketClose";
    // An error ends a socket as a close does, and the class hands it on to that.
    if (name === "webSocketError") continue;
    if (name === "alarm") countRinging(objectClass.prototype);
    wrap(objectClass.prototype, name, () => {
      if (isMessage) billed.objectMessages += 1;
      else billed.objectRequests += 1;
    });
  }
}

function countRinging(prototype: object): void {
  const ring = (prototype as Methods).alarm;
  (prototype as Methods).alarm = async function (this: object) {
    alarms.set.delete((this as { ctx: DurableObjectState }).ctx.storage);
    alarms.atWork += 1;
    await ring?.call(this);
    alarms.atWork -= 1;
  };
}

/** A cursor says how much it has read when it is done; each is by the time that the next one is made, or anybody asks. */
const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
export function settleCursors(): void {
  for (const { rowsRead, rowsWritten } of cursors.splice(0)) {
    billed.objectRowsRead += rowsRead;
    billed.objectRowsWritten += rowsWritten;
  }
}

const wrapped = new WeakSet<object>();
export function countRows(storage: DurableObjectStorage): void {
  const sql = Object.getPrototypeOf(storage.sql) as object;
  if (wrapped.has(sql)) return;
  wrapped.add(sql);
  wrap(sql, "exec", settleCursors, (cursor) => {
    cursors.push(cursor as (typeof cursors)[number]);
    return cursor;
  });
  const methods = Object.getPrototypeOf(storage) as Methods;
  const setAlarm = methods.setAlarm;
  methods.setAlarm = function (this: object) {
    // It is a row written.
    billed.objectRowsWritten += 1;
    alarms.set.add(this);
    return setAlarm?.call(this, realNow() + ALARM_MS);
  };
}

function countResult<T>(result: T): T {
  const results = (Array.isArray(result) ? result : [result]) as {
    meta?: { rows_read?: number; rows_written?: number };
  }[];
  for (const { meta } of results) {
    billed.databaseRowsRead += meta?.rows_read ?? 0;
    billed.databaseRowsWritten += meta?.rows_written ?? 0;
  }
  return result;
}

/** D1's own class sends everything by one method; what it answers says what was read and written. */
export function countDatabase(): void {
  const { alwaysPrimarySession } = env.DB as unknown as { alwaysPrimarySession: object };
  const primary = Object.getPrototypeOf(alwaysPrimarySession) as object;
  const session = Object.getPrototypeOf(primary) as object;
  const owner = Object.hasOwn(session, "_sendOrThrow") ? session : primary;
  if (!Object.hasOwn(owner, "_sendOrThrow")) throw new Error("D1 is not what it was: nothing would be counted");
  wrap(owner, "_sendOrThrow", nothing, async (result) => countResult(await result));
}
