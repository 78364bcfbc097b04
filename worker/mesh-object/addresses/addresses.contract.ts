// What the address pool promises, over any storage. Run on the storage in memory and on the object's SQLite.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ADDRESS_QUARANTINE_MS } from "#schema/limits";
import { type AddressPool, type AddressStorage, createAddressPool, fillAddressPool } from "./addresses.ts";

/** Runs `use` with a way to get an empty storage, as often as it likes. */
export type WithStorage = (use: (createStorage: () => AddressStorage) => void) => Promise<void>;

export function describeAddressPool(name: string, withStorage: WithStorage): void {
  const withPool = (hostCount: number, use: (pool: AddressPool, storage: AddressStorage) => void) =>
    withStorage((createStorage) => {
      const storage = createStorage();
      fillAddressPool(storage, hostCount);
      use(createAddressPool(storage, hostCount), storage);
    });

  describe(`address pool in ${name}`, () => {
    for (const [prefixLength, hostCount] of Object.entries({ 30: 2, 24: 254, 16: 65_534 })) {
      test(`gives every host of a /${prefixLength} once, lowest first, and then says that it is dry`, () =>
        withPool(hostCount, (pool, storage) => {
          for (let host = 1; host <= hostCount; host++) {
            const given = pool.allocateLowest(0);
            if (given !== host) throw new Error(`expected ${host}, got ${given}`);
          }
          expect(pool.allocateLowest(0)).toBeNull();
          expect(storage.readFreeFrom(0)).toBeNull();
        }));
    }

    test("gives the requested address, and no one else gets it", () =>
      withPool(6, (pool) => {
        expect(pool.allocateRequested(2, 0)).toEqual({ ok: true, value: 2 });
        expect(pool.allocateRequested(2, 0)).toEqual({ ok: false, error: "address_taken" });
        expect(Array.from({ length: 6 }, () => pool.allocateLowest(0))).toEqual([1, 3, 4, 5, 6, null]);
      }));

    test("gives from the other end when it is asked to, and then from quarantine as well", () =>
      withPool(4, (pool) => {
        expect([pool.allocateHighest(0), pool.allocateLowest(0), pool.allocateHighest(0)]).toEqual([4, 1, 3]);
        pool.release(4, 0);
        expect([pool.allocateHighest(1), pool.allocateHighest(1), pool.allocateHighest(1)]).toEqual([2, 4, null]);
      }));

    test("refuses network, broadcast and what is outside", () =>
      withPool(6, (pool) => {
        for (const host of [0, 7, -1, 8, 1.5, Number.NaN]) {
          expect(pool.allocateRequested(host, 0)).toEqual({ ok: false, error: "address_outside_mesh" });
        }
      }));

    test("keeps a released address for 24 h, to the requester too", () =>
      withPool(6, (pool) => {
        pool.allocateLowest(0);
        pool.release(1, 0);
        expect(pool.allocateLowest(ADDRESS_QUARANTINE_MS - 1)).toBe(2);
        expect(pool.allocateRequested(1, ADDRESS_QUARANTINE_MS - 1)).toEqual({ ok: false, error: "address_taken" });
        expect(pool.allocateLowest(ADDRESS_QUARANTINE_MS)).toBe(1);
      }));

    test("reserves what is free or in quarantine, and nothing that is given", () =>
      withPool(6, (pool) => {
        pool.allocateLowest(0);
        expect(pool.reserve(1, 0)).toEqual({ ok: false, error: "address_taken" });
        pool.release(1, 0);
        expect([pool.reserve(1, 1), pool.reserve(5, 1), pool.reserve(7, 1)]).toEqual([
          { ok: true, value: 1 },
          { ok: true, value: 5 },
          { ok: false, error: "address_outside_mesh" },
        ]);
        expect(Array.from({ length: 5 }, () => pool.allocateLowest(1))).toEqual([2, 3, 4, 6, null]);
      }));

    test("gives quarantined addresses when the pool is dry, the oldest first", () =>
      withPool(2, (pool) => {
        pool.allocateLowest(0);
        pool.allocateLowest(0);
        pool.release(2, 10);
        pool.release(1, 20);
        expect([pool.allocateLowest(30), pool.allocateLowest(30), pool.allocateLowest(30)]).toEqual([2, 1, null]);
      }));

    test("joins what comes back into one range", () =>
      withPool(65_534, (pool, storage) => {
        for (let count = 0; count < 200; count++) pool.allocateLowest(0);
        for (let host = 200; host >= 1; host -= 2) pool.release(host, 0);
        for (let host = 1; host <= 200; host += 2) pool.release(host, 0);
        expect(pool.allocateLowest(ADDRESS_QUARANTINE_MS)).toBe(1);
        expect(storage.readFreeFrom(0)).toEqual({ first: 2, last: 65_534 });
      }));

    test("does as a naive model does, whatever happens in whatever order", () =>
      withStorage((createStorage) => {
        fc.assert(
          fc.property(
            fc.constantFrom(2, 6, 14, 254),
            fc.array(operation, { maxLength: 120 }),
            (hostCount, operations) => {
              const storage = createStorage();
              fillAddressPool(storage, hostCount);
              compareWithModel(createAddressPool(storage, hostCount), hostCount, operations);
            },
          ),
          { numRuns: 150 },
        );
      }));
  });
}

type Operation =
  | { readonly kind: "lowest" }
  | { readonly kind: "highest" }
  | { readonly kind: "readd" }
  | { readonly kind: "requested"; readonly pick: number }
  | { readonly kind: "release"; readonly pick: number }
  | { readonly kind: "pass"; readonly ms: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Operation>({ kind: "lowest" }) },
  { weight: 2, arbitrary: fc.constant<Operation>({ kind: "highest" }) },
  { weight: 2, arbitrary: fc.constant<Operation>({ kind: "readd" }) },
  { weight: 3, arbitrary: fc.nat(300).map((pick): Operation => ({ kind: "requested", pick })) },
  { weight: 5, arbitrary: fc.nat(300).map((pick): Operation => ({ kind: "release", pick })) },
  { weight: 2, arbitrary: fc.nat(ADDRESS_QUARANTINE_MS).map((ms): Operation => ({ kind: "pass", ms })) },
);

function compareWithModel(pool: AddressPool, hostCount: number, operations: readonly Operation[]): void {
  const model = createNaiveModel(hostCount);
  const given: number[] = [];
  let nowMs = 0;
  const take = (host: number | null) => {
    if (host === null) return;
    if (given.includes(host)) throw new Error(`host ${host} was given twice`);
    given.push(host);
  };
  const takeLowest = () => {
    const host = pool.allocateLowest(nowMs);
    expect(host).toBe(model.allocateLowest(nowMs));
    take(host);
  };
  const takeHighest = () => {
    const host = pool.allocateHighest(nowMs);
    expect(host).toBe(model.allocateHighest(nowMs));
    take(host);
  };
  const release = (index: number) => {
    const [host] = given.splice(index, 1);
    if (host === undefined) return;
    pool.release(host, nowMs);
    model.release(host, nowMs);
  };
  for (const step of operations) {
    if (step.kind === "lowest") takeLowest();
    else if (step.kind === "highest") takeHighest();
    else if (step.kind === "pass") nowMs += step.ms;
    else if (step.kind === "release") release(step.pick % Math.max(given.length, 1));
    else if (step.kind === "readd") {
      release(given.length - 1);
      takeLowest();
    } else {
      const result = pool.allocateRequested(step.pick, nowMs);
      expect(result.ok ? result.value : null).toBe(model.allocateRequested(step.pick, nowMs));
      take(result.ok ? result.value : null);
    }
  }
}

/** The same promises, by looking at every host each time. */
function createNaiveModel(hostCount: number): Pick<AddressPool, "allocateLowest" | "allocateHighest" | "release"> & {
  allocateRequested(host: number, nowMs: number): number | null;
} {
  const hosts = Array.from({ length: hostCount }, (_, index) => index + 1);
  const given = new Set<number>();
  const releasedUntil = new Map<number, number>();
  const isFree = (host: number, nowMs: number) => !given.has(host) && (releasedUntil.get(host) ?? 0) <= nowMs;
  const give = (host: number) => {
    given.add(host);
    releasedUntil.delete(host);
    return host;
  };
  const isDry = (nowMs: number) => !hosts.some((host) => isFree(host, nowMs));
  const giveOldest = () => {
    const oldest = [...releasedUntil].sort(([a, untilA], [b, untilB]) => untilA - untilB || a - b)[0];
    return oldest === undefined ? null : give(oldest[0]);
  };
  return {
    allocateLowest(nowMs) {
      const free = hosts.find((host) => isFree(host, nowMs));
      return free === undefined ? giveOldest() : give(free);
    },
    allocateHighest(nowMs) {
      const free = hosts.findLast((host) => isFree(host, nowMs));
      return free === undefined ? giveOldest() : give(free);
    },
    allocateRequested(host, nowMs) {
      if (!hosts.includes(host) || given.has(host)) return null;
      return isFree(host, nowMs) || isDry(nowMs) ? give(host) : null;
    },
    release(host, nowMs) {
      given.delete(host);
      releasedUntil.set(host, nowMs + ADDRESS_QUARANTINE_MS);
    },
  };
}
