// Guessing ports through a hard NAT: when it is worth a turn, and what is done in it. Part of the path machine.
//
// The side behind the hard NAT leads. In its turn it opens its ports and tells the peer, which guesses them in a turn of its own while they
// are open: so nobody guesses in vain. Both keep the pauses, whoever asks: a peer can't make this machine send its guesses to an address as
// often as it likes.
import { isPrivateAddress, renderEndpoint } from "#schema/address";
import { isViable, toBirthdayRole, toEasyEndpoint } from "./candidates.ts";
import { canCheck, isDirect, isWanted, isWithin } from "./conditions.ts";
import { change, type Draft } from "./draft.ts";
import type { PathAction, PathState } from "./path-state.ts";
import { PATH_TIMES } from "./path-times.ts";

type Birthday = Extract<PathAction, { type: "open_ports" | "guess_ports" }>;

/** Ordinary checks of the round had their time. Asking again is asking once; a turn may have come and gone while nobody could be told. */
export function askForTurn(draft: Draft, ageMs: number): void {
  if (ageMs >= PATH_TIMES.birthdayAfter && toBirthday(draft.state, draft.nowMs) !== null)
    draft.actions.push({ type: "ask_turn" });
}

/** The peer behind the hard NAT has opened its ports. What keeps this side from guessing may end while they are open. */
export function takeOpenedPorts(draft: Draft): void {
  change(draft, { peerOpenedAtMs: draft.nowMs });
  if (toBirthday(draft.state, draft.nowMs) !== null) draft.actions.push({ type: "ask_turn" });
}

/** Much may have changed while others had theirs. */
export function takeTurn(draft: Draft): void {
  const birthday = toBirthday(draft.state, draft.nowMs);
  if (birthday === null) return;
  change(draft, { birthdayAtMs: draft.nowMs });
  draft.actions.push(birthday);
  if (birthday.type === "open_ports") draft.actions.push({ type: "request_punch", kind: "birthday" });
}

/** The peer is away, so nobody has guessed the ports that were opened here: that does not count when it comes back. */
export function forgetOpened(draft: Draft): void {
  const { local, peer } = draft.state;
  if (toBirthdayRole(local.nat, peer.nat) === "open_ports") change(draft, { birthdayAtMs: null });
}

/** What this machine would do in its turn; null: it can't work, is not needed, or was done a short time ago. */
function toBirthday(state: PathState, nowMs: number): Birthday | null {
  const { local, peer, isPeerOffline, peerOpenedAtMs } = state;
  if (!canCheck(state) || isDirect(state) || isPeerOffline || !isWanted(state, nowMs)) return null;
  const role = toBirthdayRole(local.nat, peer.nat);
  if (role === "open_ports") {
    const remote = toEasyEndpoint(peer);
    return remote !== null && isViable(remote, local) && isDue(state, nowMs, 0) ? { type: "open_ports", remote } : null;
  }
  const address = peer.nat?.publicAddress;
  if (role === null || address === undefined || !isWithin(peerOpenedAtMs, nowMs, PATH_TIMES.guessWithin)) return null;
  const isOutside = !isPrivateAddress(address) && isViable(renderEndpoint({ address, port: 1 }), local);
  return isOutside && isDue(state, nowMs, PATH_TIMES.guessLag) ? { type: "guess_ports", address } : null;
}

/** Not often, for NATs have small tables; but a hole that is gone is worth another. */
function isDue({ birthdayAtMs, diedAtMs }: PathState, nowMs: number, lagMs: number): boolean {
  const hasDied = diedAtMs !== null && birthdayAtMs !== null && diedAtMs > birthdayAtMs;
  const pauseMs = hasDied ? PATH_TIMES.birthdayAfterDeath : PATH_TIMES.birthdayEvery;
  return !isWithin(birthdayAtMs, nowMs, pauseMs - lagMs);
}
