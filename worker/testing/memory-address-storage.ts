// The address pool's storage in memory, for tests and as the benchmark's reference. Finding is O(log n); inserting in the middle moves
// the tail of an array, which is quick at the sizes used here.
import type { AddressStorage, FreeRange, QuarantinedHost } from "../mesh-object/addresses/addresses.ts";

export function createMemoryAddressStorage(): AddressStorage {
  const free: FreeRange[] = [];
  const quarantined: QuarantinedHost[] = [];
  const byHost = new Map<number, QuarantinedHost>();
  const indexOfFree = (last: number) => lowerBound(free, (range) => range.last - last);
  const indexOfQuarantined = (entry: QuarantinedHost) =>
    lowerBound(quarantined, (other) => other.until - entry.until || other.host - entry.host);

  return {
    readFreeFrom: (host) => free[indexOfFree(host)] ?? null,
    readLastFree: () => free.at(-1) ?? null,
    readFreeEndingAt(last) {
      const range = free[indexOfFree(last)];
      return range?.last === last ? range : null;
    },
    putFree(range) {
      const index = indexOfFree(range.last);
      free.splice(index, free[index]?.last === range.last ? 1 : 0, range);
    },
    deleteFree(last) {
      const index = indexOfFree(last);
      if (free[index]?.last === last) free.splice(index, 1);
    },
    readQuarantined: (host) => byHost.get(host) ?? null,
    readOldestQuarantined: () => quarantined[0] ?? null,
    putQuarantined(entry) {
      if (byHost.has(entry.host)) throw new Error(`host ${entry.host} is in quarantine already`);
      byHost.set(entry.host, entry);
      quarantined.splice(indexOfQuarantined(entry), 0, entry);
    },
    deleteQuarantined(host) {
      const entry = byHost.get(host);
      if (entry === undefined) return;
      byHost.delete(host);
      quarantined.splice(indexOfQuarantined(entry), 1);
    },
  };
}

/** The first index whose item compares at or above zero. */
function lowerBound<T>(items: readonly T[], compare: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(items[middle] as T) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
