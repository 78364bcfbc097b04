// Route reflector mode, on a machine that still has sessions with members: when may they go? Pure. Nobody is asked: each machine drops its own
// when the gateways' copies of all routes are in its tables, which is some time after a gateway's session came up.
import type { BirdConfig, BirdMember } from "../bird/bird-config.ts";
import type { BirdProtocol } from "../bird/parse-protocols.ts";
import { toProtocolName } from "../bird/render-config.ts";

export type SwitchAdvice =
  | { readonly code: "drop" }
  /** Look again after `waitMs`. */
  | { readonly code: "keep"; readonly waitMs: number };

/** A gateway's whole table is there by then: End-of-RIB is not told to anybody by BIRD 2. */
const READY_AFTER_MS = 10_000;
const LOOK_MS = 2_000;

/** @param config with its sessions with members; @param protocols what BIRD has, null: none runs; @param wallMs as BIRD tells time */
export function adviseSwitch(
  config: BirdConfig,
  protocols: readonly BirdProtocol[] | null,
  wallMs: number,
): SwitchAdvice {
  const byName = new Map((protocols ?? []).map((protocol) => [protocol.name, protocol]));
  const sessionOf = (member: BirdMember) => byName.get(toProtocolName(member));
  const isDirect = (member: BirdMember) => !config.isGateway && !member.isGateway;
  // Nothing to lose: a BIRD that starts has no use for sessions that are about to end.
  if (!config.members.some((member) => isDirect(member) && sessionOf(member) !== undefined)) return { code: "drop" };
  const waits = config.members
    .filter(({ isGateway }) => isGateway)
    .map(sessionOf)
    .filter((protocol) => protocol?.session?.state === "Established")
    .map((protocol) => (protocol?.sinceMs ?? wallMs) + READY_AFTER_MS - wallMs);
  const waitMs = Math.min(LOOK_MS, ...waits);
  return waitMs <= 0 ? { code: "drop" } : { code: "keep", waitMs };
}
