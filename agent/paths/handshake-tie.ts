// Two ends of a relay that begin a handshake at the same moment undo each other's: each WireGuard takes the other's initiation, forgets its
// own, and then takes no response to it. Both would wait for 5 s (REKEY_TIMEOUT). So the controlling side keeps the other's initiation out
// while its own is on its way, and the other side, which lets it in, answers: one handshake goes through.
//
// Nothing but initiations is kept out, only in one window for each of our own, and only until the response is there: a peer that lost its
// session, or that never got our initiation, gets in with its next one, 5 s later.
import { isInitiation, isResponse } from "../relay/wireguard-packets.ts";

export interface HandshakeTie {
  /** Our WireGuard's packet goes into the relay. */
  noteSent(packet: Uint8Array, nowMs: number): void;
  /** The peer came to the relay, which held our packets until now. */
  notePeerPresent(nowMs: number): void;
  /** Our WireGuard has another key, which the peer does not know yet: what we begin is in vain until it does, and what it begins is what counts. */
  noteKeyReplaced(nowMs: number): void;
  /** A packet of the peer's came out of the relay. False: it is to be dropped. */
  admit(packet: Uint8Array, nowMs: number): boolean;
}

/** Longer than any round trip that anybody would talk over, and so short that a peer's repeated initiation, after 5 s, is outside of it. */
const WINDOW_MS = 1_000;
/** WireGuard repeats an initiation that is older (REKEY_TIMEOUT); until then it takes a response to it. */
const INITIATION_MS = 5_000;

/** A peer that is connected to the control plane knows the new key by then. */
const KEY_KNOWN_MS = 60_000;

/** @param isControlling of two ends one is: the one with the lower id */
export function createHandshakeTie(isControlling: boolean): HandshakeTie {
  /** Our newest initiation, while there is no response to it. */
  let sentAtMs: number | null = null;
  /** When it left: later than that, where the relay had nobody to give it to. */
  let leftAtMs = 0;
  let isOpenUntilMs = Number.NEGATIVE_INFINITY;
  return {
    noteSent(packet, nowMs) {
      if (isInitiation(packet)) [sentAtMs, leftAtMs] = [nowMs, nowMs];
    },
    notePeerPresent(nowMs) {
      if (sentAtMs !== null && nowMs - sentAtMs < INITIATION_MS) leftAtMs = nowMs;
    },
    noteKeyReplaced(nowMs) {
      isOpenUntilMs = nowMs + KEY_KNOWN_MS;
    },
    admit(packet, nowMs) {
      if (isResponse(packet)) sentAtMs = null;
      if (nowMs < isOpenUntilMs) return true;
      const isTied = sentAtMs !== null && nowMs - leftAtMs < WINDOW_MS;
      return !isControlling || !isTied || !isInitiation(packet);
    },
  };
}
