// Who announces a route or a VIP, in the order and the words of its list. Pure.
import type { AnnouncerHealth } from "#schema/announcement-state";
import type { Tone } from "../../../components/badge.tsx";

/** Of a route or a VIP. */
export interface Announced {
  readonly enabled: boolean;
  readonly machineIds: readonly string[];
  readonly heldBy: string | null;
  readonly announcers: readonly AnnouncerHealth[];
}

export interface Announcer {
  readonly id: string;
  readonly name: string;
  /** Null while it is disabled: nobody checks then. */
  readonly state: { readonly label: string; readonly tone: Tone } | null;
  readonly since: string | null;
  /** What its check found, where that is worth a line. */
  readonly text: string | null;
  /** Traffic goes to this one. */
  readonly isHolder: boolean;
}

const STATES: Readonly<Record<AnnouncerHealth["state"], { readonly label: string; readonly tone: Tone }>> = {
  healthy: { label: "healthy", tone: "good" },
  unchecked: { label: "not checked", tone: "good" },
  pending: { label: "being checked", tone: "info" },
  failing: { label: "failing", tone: "bad" },
  unknown: { label: "not known", tone: "warn" },
  offline: { label: "offline", tone: "neutral" },
};
/** After the one that holds it: what needs a look first. */
const ORDER: readonly AnnouncerHealth["state"][] = ["failing", "unknown", "pending", "offline", "healthy", "unchecked"];

export function listAnnouncers(announced: Announced, names: ReadonlyMap<string, string>): Announcer[] {
  const { enabled, machineIds, heldBy, announcers } = announced;
  const nameOf = (id: string) => names.get(id) ?? id;
  if (!enabled) {
    const off = { state: null, since: null, text: null, isHolder: false };
    return machineIds.map((id) => ({ id, name: nameOf(id), ...off }));
  }
  const toRank = ({ machineId, state }: AnnouncerHealth) => (machineId === heldBy ? -1 : ORDER.indexOf(state));
  return announcers
    .toSorted(
      (one, other) => toRank(one) - toRank(other) || nameOf(one.machineId).localeCompare(nameOf(other.machineId)),
    )
    .map(({ machineId, state, since, text }) => ({
      id: machineId,
      name: nameOf(machineId),
      state: STATES[state],
      since,
      text: state === "failing" || state === "pending" ? text : null,
      isHolder: machineId === heldBy,
    }));
}

/** Enabled, with machines, and none of them announces, as far as all have told: whoever asks for it gets no answer. */
export const isUnheld = ({ enabled, announcers, heldBy }: Announced): boolean =>
  enabled && announcers.length > 0 && heldBy === null && announcers.every(({ state }) => state !== "unknown");
