// What WireGuard's counters say happened between two looks. Pure.
import type { PathEvent } from "./path-state.ts";

/** A data packet without data, a handshake's initiation and response, by the length of their messages (WireGuard protocol, section 5.4). */
const KEEPALIVE_BYTES = 32;
const INITIATION_BYTES = 148;
const RESPONSE_BYTES = 92;

/**
 * A keepalive, or a handshake that was answered (with the keepalive that confirms it), is nobody's traffic: WireGuard makes them to stay as it
 * is. An initiation without an answer may be all that is seen of a packet that waits for the session. Null: nothing passed.
 */
export function toTraffic(sentBytes: number, receivedBytes: number): Extract<PathEvent, { type: "traffic" }> | null {
  if (sentBytes <= 0 && receivedBytes <= 0) return null;
  const isHandshake =
    (isOneOf(sentBytes, INITIATION_BYTES) && isOneOf(receivedBytes, RESPONSE_BYTES)) ||
    (isOneOf(sentBytes, RESPONSE_BYTES) && isOneOf(receivedBytes, INITIATION_BYTES));
  const isKeepalive = isAtMost(sentBytes) && isAtMost(receivedBytes);
  const isUpkeep = isHandshake || isKeepalive;
  return { type: "traffic", isSent: sentBytes > 0, isReceived: receivedBytes > 0, ...(isUpkeep ? { isUpkeep } : {}) };
}

const isOneOf = (bytes: number, message: number): boolean => bytes === message || bytes === message + KEEPALIVE_BYTES;
const isAtMost = (bytes: number): boolean => bytes === 0 || bytes === KEEPALIVE_BYTES;
