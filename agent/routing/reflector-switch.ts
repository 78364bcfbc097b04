// How a machine goes into route reflector mode and out of it, without a moment in which somebody has no route. Pure. Nobody is asked, and each machine
// hears of the mode at another time: what a machine does for itself it does after what others need for that.
import type { BirdConfig, BirdMember } from "../bird/bird-config.ts";
import type { BirdProtocol } from "../bird/parse-protocols.ts";
import type { BirdRoute } from "../bird/parse-routes.ts";
import { toProtocolName } from "../bird/render-config.ts";

/**
 * `direct`: sessions with members, and none takes this machine's prefixes from gateways. `both`: sessions with members, and they may.
 * `reflected`: no sessions with members that are no gateways.
 */
export type ReflectorPhase = "direct" | "both" | "reflected";

export interface SwitchInputs {
  /** The mesh is in route reflector mode. */
  readonly isWanted: boolean;
  /** With sessions with members. */
  readonly config: BirdConfig;
  /** What BIRD has; null: none runs. */
  readonly protocols: readonly BirdProtocol[] | null;
  /** Null: none is known, as the agent has just been started. */
  readonly before: { readonly phase: ReflectorPhase; readonly sinceMs: number } | null;
  readonly nowMs: number;
  /** As BIRD tells time. */
  readonly wallMs: number;
}

export type SwitchAdvice =
  /** `waitMs`: look again then. */
  | { readonly phase: ReflectorPhase; readonly waitMs: number | null }
  /** `reflected`, if `hasAllCopies`; else `both`, and look again after `waitMs`. */
  | { readonly phase: "reflected_with_all_copies"; readonly waitMs: number };

/** By then everybody has heard what a session, or another export filter, had to tell: BIRD 2 tells nobody of End-of-RIB. */
const SETTLED_MS = 10_000;
/** Some member may be away, and its session never come. */
const GIVE_UP_MS = 60_000;
const LOOK_MS = 2_000;
const AGAIN = { phase: "both", waitMs: LOOK_MS } as const;

export function advisePhase(inputs: SwitchInputs): SwitchAdvice {
  const { isWanted, config, before, nowMs } = inputs;
  const direct = sessionsWith(
    inputs,
    config.members.filter((member) => isDirect(config, member)),
  );
  const ageMs = before === null ? 0 : nowMs - before.sinceMs;
  if (!isWanted) {
    if (before === null || before.phase === "direct") return { phase: "direct", waitMs: null };
    if (before.phase === "reflected") return AGAIN;
    const isDone = direct.every((session) => isSettled(session, inputs)) || ageMs >= GIVE_UP_MS;
    return isDone ? { phase: "direct", waitMs: null } : AGAIN;
  }
  // Nothing to lose: a BIRD that starts has no use for sessions that are about to end.
  if (direct.every((session) => session === undefined)) return { phase: "reflected", waitMs: null };
  if (before?.phase !== "both" || ageMs < SETTLED_MS) return AGAIN;
  const gateways = sessionsWith(
    inputs,
    config.members.filter(({ isGateway }) => isGateway),
  );
  if (!gateways.some((session) => isSettled(session, inputs))) return AGAIN;
  return { phase: "reflected_with_all_copies", waitMs: LOOK_MS };
}

/** Whether everything that a session with a member brought is there from a gateway, too. */
export function hasAllCopies(config: BirdConfig, routes: readonly BirdRoute[]): boolean {
  const namesOf = (members: readonly BirdMember[]) => new Set<string>(members.map(toProtocolName));
  const gateways = namesOf(config.members.filter(({ isGateway }) => isGateway));
  const direct = namesOf(config.members.filter((member) => isDirect(config, member)));
  const toKey = ({ prefix, bgp }: BirdRoute) => `${prefix} ${bgp?.nextHop}`;
  const used = routes.filter(({ isFiltered }) => !isFiltered);
  const copies = new Set(used.filter(({ protocol }) => gateways.has(protocol)).map(toKey));
  return used.every((route) => !direct.has(route.protocol) || copies.has(toKey(route)));
}

const isDirect = (config: BirdConfig, { hasSession, isGateway }: BirdMember): boolean =>
  hasSession && !isGateway && !config.isGateway;

function sessionsWith({ protocols }: SwitchInputs, members: readonly BirdMember[]): (BirdProtocol | undefined)[] {
  const byName = new Map((protocols ?? []).map((protocol) => [protocol.name, protocol]));
  return members.map((member) => byName.get(toProtocolName(member)));
}

const isSettled = (protocol: BirdProtocol | undefined, { wallMs }: SwitchInputs): boolean =>
  protocol?.session?.state === "Established" && wallMs - protocol.sinceMs >= SETTLED_MS;
