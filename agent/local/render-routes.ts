// `becket routes` as a person reads it. Pure.
import type { RoutesReply } from "#schema/local/status";
import { renderAge, renderTable } from "./render-table.ts";

type Route = RoutesReply["routes"][number];
type MeshNames = ReadonlyMap<string, string>;

export interface RoutesShown {
  readonly nowMs: number;
  /** Only refused ones are shown; else none of them, and how many there are. */
  readonly isFiltered: boolean;
  readonly refusedCount: number;
}

export function renderRoutes(
  { routes, isTruncated, problems }: RoutesReply,
  { nowMs, isFiltered, refusedCount }: RoutesShown,
): string {
  const none = isFiltered ? "No refused routes." : "No routes.";
  const parts = [
    routes.length === 0 ? none : renderTable(...toTable(routes, nowMs)),
    ...(refusedCount > 0 ? [`Refused besides: ${refusedCount}; --filtered shows them, and why.`] : []),
    ...(isTruncated ? ["There are more: name a prefix to see those in it."] : []),
    problems.map(({ mesh, message }) => `! ${mesh}: ${message}`).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function toTable(routes: readonly Route[], nowMs: number): Parameters<typeof renderTable> {
  const isRefused = routes.some(({ filterReason }) => filterReason !== null);
  const titles = ["MESH", "", "PREFIX", "NEXT HOP", "ORIGIN", "SOURCE", "AS PATH", "PREF", "MED", "COMMUNITIES", "AGE"];
  const columns = [...titles, ...(isRefused ? ["REFUSED BECAUSE"] : [])].map((title) => ({
    title,
    ...(["PREF", "MED", "AGE"].includes(title) ? { align: "right" as const } : {}),
  }));
  const names = new Map(routes.map(({ meshId, mesh }) => [meshId, mesh]));
  return [columns, routes.map((route) => [...toRow(route, names, nowMs), route.filterReason?.message ?? ""])];
}

const toRow = (route: Route, names: MeshNames, nowMs: number): string[] => [
  route.mesh,
  route.isBest ? "*" : "",
  route.prefix,
  route.nextHop ?? "-",
  route.origin?.name ?? "-",
  toSource(route.source, names),
  route.asPath.join(" ") || "-",
  toNumber(route.localPreference),
  toNumber(route.med),
  route.communities.join(" ") || "-",
  renderAge(Math.max(0, Math.round((nowMs - Date.parse(route.since)) / 1_000))),
];

function toSource({ kind, name, protocol, meshId }: Route["source"], names: MeshNames): string {
  switch (kind) {
    case "own":
      return "this machine";
    case "peer":
      return name ?? protocol;
    case "gateway_link":
      return `mesh ${meshId === null ? protocol : (names.get(meshId) ?? meshId)}`;
    case "other":
      return protocol;
  }
}

const toNumber = (value: number | null): string => (value === null ? "-" : String(value));
