// The addresses of a mesh. Pure: every decision is made here over a small synchronous storage port.
//
// An address is its host number: the offset inside the mesh's CIDR, so network is 0 and broadcast is the last.
// Free host numbers are kept as ranges, so an operation touches a handful of rows however many addresses are given: the last address
// of a /16 costs what the first did. A range's key is its LAST host number: taking the lowest changes `first` of one row and moves no key.
//
// Invariants: ranges are disjoint and never touch (neighbours are merged); a host number is in a range, in quarantine or given.
import { ADDRESS_QUARANTINE_MS } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";

export interface FreeRange {
  readonly first: number;
  readonly last: number;
}
export interface QuarantinedHost {
  readonly host: number;
  /** Milliseconds since the epoch; free again from then on. */
  readonly until: number;
}

/** Each operation is at most O(log n). */
export interface AddressStorage {
  /** The lowest range whose last host number is `host` or above. */
  readFreeFrom(host: number): FreeRange | null;
  /** The highest range. */
  readLastFree(): FreeRange | null;
  /** The range that ends with exactly this host number. */
  readFreeEndingAt(last: number): FreeRange | null;
  /** Writes the range with this `last`, replacing one that has the same. */
  putFree(range: FreeRange): void;
  deleteFree(last: number): void;
  readQuarantined(host: number): QuarantinedHost | null;
  /** The one that is due first; of equals, the lowest. */
  readOldestQuarantined(): QuarantinedHost | null;
  putQuarantined(entry: QuarantinedHost): void;
  deleteQuarantined(host: number): void;
}

export interface AddressPool {
  /** The lowest free host number; when there is none, the one longest in quarantine; null when all are given. */
  allocateLowest(nowMs: number): number | null;
  /** The highest free host number; when there is none, as `allocateLowest`. */
  allocateHighest(nowMs: number): number | null;
  /** Exactly this one. In quarantine it counts as taken, unless nothing else is free. */
  allocateRequested(host: number, nowMs: number): Result<number, "address_taken" | "address_outside_mesh">;
  /** Exactly this one, also out of quarantine: for what an admin places, and no machine comes by. */
  reserve(host: number, nowMs: number): Result<number, "address_taken" | "address_outside_mesh">;
  /** Into quarantine. The caller vouches that it was given. */
  release(host: number, nowMs: number): void;
}

/** What one operation gives back of addresses that came out of quarantine. More wait for the next, so that no operation takes long. */
const MAX_RECLAIMED_AT_ONCE = 256;

/** Before the first allocation of a new mesh: everything but network and broadcast is free. */
export function fillAddressPool(storage: AddressStorage, hostCount: number): void {
  storage.putFree({ first: 1, last: hostCount });
}

export function createAddressPool(storage: AddressStorage, hostCount: number): AddressPool {
  function reclaimDue(nowMs: number): void {
    for (let count = 0; count < MAX_RECLAIMED_AT_ONCE; count++) {
      const oldest = storage.readOldestQuarantined();
      if (oldest === null || oldest.until > nowMs) return;
      storage.deleteQuarantined(oldest.host);
      addFree(storage, oldest.host);
    }
  }

  function take(host: number, nowMs: number, mayBeQuarantined: () => boolean): ReturnType<AddressPool["reserve"]> {
    if (!Number.isInteger(host) || host < 1 || host > hostCount) return err("address_outside_mesh");
    reclaimDue(nowMs);
    const range = storage.readFreeFrom(host);
    if (range !== null && range.first <= host) {
      removeFree(storage, range, host);
      return ok(host);
    }
    const quarantined = storage.readQuarantined(host);
    if (quarantined === null) return err("address_taken");
    if (quarantined.until > nowMs && !mayBeQuarantined()) return err("address_taken");
    storage.deleteQuarantined(host);
    return ok(host);
  }

  function takeOldestQuarantined(): number | null {
    const oldest = storage.readOldestQuarantined();
    if (oldest === null) return null;
    storage.deleteQuarantined(oldest.host);
    return oldest.host;
  }

  return {
    allocateLowest(nowMs) {
      reclaimDue(nowMs);
      const range = storage.readFreeFrom(0);
      if (range !== null) {
        removeFree(storage, range, range.first);
        return range.first;
      }
      return takeOldestQuarantined();
    },
    allocateHighest(nowMs) {
      reclaimDue(nowMs);
      const range = storage.readLastFree();
      if (range === null) return takeOldestQuarantined();
      removeFree(storage, range, range.last);
      return range.last;
    },

    allocateRequested: (host, nowMs) => take(host, nowMs, () => storage.readFreeFrom(0) === null),
    reserve: (host, nowMs) => take(host, nowMs, () => true),

    release(host, nowMs) {
      storage.putQuarantined({ host, until: nowMs + ADDRESS_QUARANTINE_MS });
    },
  };
}

function removeFree(storage: AddressStorage, range: FreeRange, host: number): void {
  if (host < range.last) storage.putFree({ first: host + 1, last: range.last });
  else storage.deleteFree(range.last);
  if (host > range.first) storage.putFree({ first: range.first, last: host - 1 });
}

function addFree(storage: AddressStorage, host: number): void {
  const left = storage.readFreeEndingAt(host - 1);
  const above = storage.readFreeFrom(host);
  const first = left === null ? host : left.first;
  if (left !== null) storage.deleteFree(left.last);
  const last = above !== null && above.first === host + 1 ? above.last : host;
  storage.putFree({ first, last });
}
