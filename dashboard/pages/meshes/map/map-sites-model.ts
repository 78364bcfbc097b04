// Machines by the site that their tag `site:NAME` says. Pure.
import type { MapMachine } from "./map-model.ts";

export interface SiteGroup {
  /** Null: of machines without a site, or of several small sites. */
  readonly site: string | null;
  readonly name: string;
  readonly machines: readonly MapMachine[];
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

export const hasSites = (machines: readonly MapMachine[]): boolean => machines.some(({ site }) => site !== null);

/** By name; last those of the sites that are too many, of which the largest stand by themselves, and those without one. */
export function groupBySite(machines: readonly MapMachine[], most: number): SiteGroup[] {
  const nowhere = machines.filter(({ site }) => site === null);
  const names = new Set(machines.flatMap(({ site }) => site ?? []));
  const sites = [...names].map((site) => ({
    ...{ site, name: site },
    machines: machines.filter((machine) => machine.site === site),
  }));
  const bySize = sites.toSorted((a, b) => b.machines.length - a.machines.length || COLLATOR.compare(a.name, b.name));
  const shown = bySize.length <= most ? bySize : bySize.slice(0, most - 1);
  const others = bySize.slice(shown.length);
  return [
    ...shown.toSorted((a, b) => COLLATOR.compare(a.name, b.name)),
    ...(others.length === 0
      ? []
      : [{ site: null, name: `in ${others.length} other sites`, machines: others.flatMap((one) => one.machines) }]),
    ...(nowhere.length === 0 ? [] : [{ site: null, name: "without a site", machines: nowhere }]),
  ];
}
