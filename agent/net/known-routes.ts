// The kernel's routes of our BIRDs as far as they are known: whole from a read, then event by event. No side effects beyond its own state.
import type { Prefix } from "#schema/prefix";
import type { KernelRoute, RouteEvent } from "./parse-bird-routes.ts";

export interface KnownRoutes {
  apply(event: RouteEvent): Outcome;
  /** What a read gave, and the events since the read began. */
  replace(routes: readonly KernelRoute[], since: readonly RouteEvent[]): ReadonlySet<Outcome>;
  /** The same list until one of them changes. */
  routesOf(metric: number): readonly KernelRoute[];
}

/** Nothing, other routes, or that only a new read can tell. */
export type Outcome = "same" | "changed" | "unclear";

type Routes = Map<Prefix, KernelRoute>;

const NO_ROUTES: readonly KernelRoute[] = [];

export function createKnownRoutes(): KnownRoutes {
  /** By metric. */
  let tables = new Map<number, Routes>();
  const lists = new Map<number, readonly KernelRoute[]>();

  function apply({ kind, route }: RouteEvent): Outcome {
    const table = tables.get(route.metric);
    const known = table?.get(route.prefix);
    if (kind === "set") {
      if (known !== undefined && isSame(known, route)) return "same";
      if (table === undefined) tables.set(route.metric, new Map([[route.prefix, route]]));
      else table.set(route.prefix, route);
    } else {
      // IPv6 routes with several next hops lose them one by one: what is left is not said.
      if (known?.nextHop === null && route.nextHop !== null) return "unclear";
      // Another took its place meanwhile.
      if (known === undefined || !isSame(known, route)) return "same";
      table?.delete(route.prefix);
    }
    lists.delete(route.metric);
    return "changed";
  }

  return {
    apply,
    replace(routes, since) {
      const before = tables;
      tables = new Map();
      for (const route of routes) {
        const known = before.get(route.metric)?.get(route.prefix);
        const table = tables.get(route.metric) ?? new Map();
        tables.set(route.metric, table.set(route.prefix, known !== undefined && isSame(known, route) ? known : route));
      }
      const isUnclear = since.map(apply).includes("unclear");
      const changed = [...new Set([...before.keys(), ...tables.keys()])].filter(
        (metric) => !hasSame(before.get(metric), tables.get(metric)),
      );
      for (const metric of changed) lists.delete(metric);
      return new Set([
        ...(changed.length > 0 ? (["changed"] as const) : []),
        ...(isUnclear ? (["unclear"] as const) : []),
      ]);
    },
    routesOf(metric) {
      const list = lists.get(metric) ?? [...(tables.get(metric)?.values() ?? NO_ROUTES)];
      lists.set(metric, list);
      return list;
    },
  };
}

const isSame = (one: KernelRoute, other: KernelRoute): boolean =>
  one.nextHop === other.nextHop && one.device === other.device;

function hasSame(before: Routes = new Map(), after: Routes = new Map()): boolean {
  return (
    before.size === after.size &&
    [...before].every(([prefix, route]) => {
      const other = after.get(prefix);
      return other !== undefined && isSame(route, other);
    })
  );
}
