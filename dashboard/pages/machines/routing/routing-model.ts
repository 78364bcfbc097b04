// A machine's routes and announcements in words, and those that are searched for.
import type { MachineAnnouncement, MachineRoute } from "#schema/api/machine-routing";
import type { Tone } from "../../../components/badge.tsx";

interface Words {
  readonly label: string;
  readonly tone: Tone;
}

/** Used, in reserve, or refused by a filter. */
export function judgeRoute({ isBest, filterReason }: Pick<MachineRoute, "isBest" | "filterReason">): Words {
  if (filterReason !== null) return { label: "refused", tone: "bad" };
  return isBest ? { label: "used", tone: "good" } : { label: "in reserve", tone: "neutral" };
}

/** Who has what is behind the prefix. */
export function describeOrigin({ origin, source }: Pick<MachineRoute, "origin" | "source">): string {
  if (source.kind === "own") return "this machine";
  if (origin !== null) return origin.name;
  return source.kind === "gateway_link" ? "another mesh" : (source.name ?? source.protocol);
}

export function findRoutes(routes: readonly MachineRoute[], q: string): MachineRoute[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const toText = (route: MachineRoute) =>
    [route.prefix, route.nextHop, describeOrigin(route), judgeRoute(route).label, ...route.asPath, ...route.communities]
      .join(" ")
      .toLowerCase();
  return words.length === 0
    ? [...routes]
    : routes.filter((route) => words.every((word) => toText(route).includes(word)));
}

const CHECKS: Readonly<Record<MachineAnnouncement["status"], Words>> = {
  unchecked: { label: "announced", tone: "good" },
  healthy: { label: "healthy", tone: "good" },
  pending: { label: "being checked", tone: "info" },
  unhealthy: { label: "unhealthy", tone: "bad" },
};

export const judgeAnnouncement = ({
  status,
  isAnnounced,
}: Pick<MachineAnnouncement, "status" | "isAnnounced">): Words =>
  status === "unchecked" && !isAnnounced ? { label: "not announced", tone: "warn" } : CHECKS[status];
