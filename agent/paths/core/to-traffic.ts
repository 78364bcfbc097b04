// What WireGuard's counters say happened between two looks. Pure.
import type { PathEvent } from "./path-state.ts";

/** A data packet without data, a handshake's initiation and response, by the length of their messages (WireGuard protocol, section 5.4). */
const KEEPALIVE_BYTES = 32;
const INITIATION_BYTES = 148;
const RESPONSE_BYTES = 92;

/** A handshake brings up to two keepalives along: the one that found the session old, and the one that confirms the new one. */
const MOST_KEEPALIVES = 2;

/**
 * A keepalive, or a handshake that is answered, is nobody's traffic: WireGuard makes them to stay as it is. An initiation without an answer
 * may be all that is seen of a packet that waits for a session, so it asks. Null: nothing passed.
 */
export function toTraffic(sentBytes: number, receivedBytes: number): Extract<PathEvent, { type: "traffic" }> | null {
  if (sentBytes <= 0 && receivedBytes <= 0) return null;
  const passed = { type: "traffic", isSent: sentBytes > 0, isReceived: receivedBytes > 0 } as const;
  const [sent, received] = [toMessage(sentBytes), toMessage(receivedBytes)];
  if (sent === null || received === null) return passed;
  return sent === "initiation" && received !== "response"
    ? { ...passed, isUpkeep: true, isAsking: true }
    : { ...passed, isUpkeep: true };
}

type Message = "nothing" | "initiation" | "response";

/** The one message of WireGuard's own that was seen, keepalives aside; null: something else. */
function toMessage(bytes: number): Message | null {
  const toRest = (length: number) => bytes - length;
  if (bytes === 0 || bytes === KEEPALIVE_BYTES) return "nothing";
  if (areKeepalives(toRest(INITIATION_BYTES))) return "initiation";
  return areKeepalives(toRest(RESPONSE_BYTES)) ? "response" : null;
}

const areKeepalives = (bytes: number): boolean =>
  bytes >= 0 && bytes <= MOST_KEEPALIVES * KEEPALIVE_BYTES && bytes % KEEPALIVE_BYTES === 0;
