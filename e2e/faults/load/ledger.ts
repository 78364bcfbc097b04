// What the control plane acknowledged, to be held against what it says later. Pure.

export interface Ledger {
  /** It answered 2xx: this is so. `null`: it is not there. */
  acknowledge(key: string, value: string | null): void;
  /** It gave no answer, or a failure: this may be so, or what was before. */
  doubt(key: string, value: string | null): void;
  isCertain(key: string): boolean;
  /** What is in doubt is as it is seen, from now on. To be called when nothing is under way that could still change it. */
  settle(seen: ReadonlyMap<string, string>): void;
  /** How many acknowledgements so far. */
  acknowledged(): number;
  /** What was acknowledged and is not so, one line each. `seen`: what is there. */
  findLost(seen: ReadonlyMap<string, string>): string[];
  /** Somebody was told to have this address. */
  giveAddress(address: string, to: string): void;
  /** Addresses that two were told to have, one line each. */
  addressesGivenTwice(): string[];
}

export function createLedger(): Ledger {
  const possible = new Map<string, Set<string | null>>();
  const holders = new Map<string, Set<string>>();
  let count = 0;
  const isCertain = (key: string) => (possible.get(key)?.size ?? 1) === 1;
  return {
    acknowledge(key, value) {
      count++;
      possible.set(key, new Set([value]));
    },
    doubt(key, value) {
      possible.set(key, new Set([...(possible.get(key) ?? [null]), value]));
    },
    isCertain,
    settle(seen) {
      for (const key of possible.keys()) if (!isCertain(key)) possible.set(key, new Set([seen.get(key) ?? null]));
    },
    acknowledged: () => count,
    findLost(seen) {
      return [...possible].flatMap(([key, values]) => {
        const value = seen.get(key) ?? null;
        if (values.has(value) || (value !== null && values.has(ANY))) return [];
        return [
          `${key}: ${value ?? "not there"}, acknowledged was ${[...values].map((one) => one ?? "none").join(" or ")}`,
        ];
      });
    },
    giveAddress(address, to) {
      holders.set(address, (holders.get(address) ?? new Set()).add(to));
    },
    addressesGivenTwice: () =>
      [...holders].flatMap(([address, to]) => (to.size < 2 ? [] : [`${address}: ${[...to].join(" and ")}`])),
  };
}

/** For what the control plane itself would have chosen, had it answered. */
export const ANY = "something";
