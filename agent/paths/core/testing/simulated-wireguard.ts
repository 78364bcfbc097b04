// As much of WireGuard as paths depend on: one peer, where packets to it go, roaming to wherever the newest packet came from, sessions that
// begin with a handshake and end, and keepalives.
import type { Endpoint } from "#schema/address";
import type { VirtualClock } from "./virtual-clock.ts";

export interface SealedData {
  readonly kind: "data";
  readonly payload: number;
  readonly isEcho: boolean;
}
export type Sealed = SealedData | { readonly kind: "keepalive" | "init" | "response" };

export interface SimulatedWireguard {
  endpoint(): Endpoint | null;
  setEndpoint(endpoint: Endpoint): void;
  setKeepalive(seconds: number): void;
  send(packet: SealedData): void;
  /** An authentic packet of the peer, wherever it came from. */
  receive(packet: Sealed, from: Endpoint): void;
  /** Bytes in all. */
  counters(): { sent: number; received: number };
}

const BYTES = { data: 128, keepalive: 32, init: 148, response: 92 };
/** Of the protocol's section 6: REKEY_AFTER_TIME, REJECT_AFTER_TIME, REKEY_TIMEOUT, REKEY_ATTEMPT_TIME, KEEPALIVE_TIMEOUT. */
const REKEY_MS = 120_000;
const REJECT_MS = 180_000;
const RETRY_MS = 5_000;
const GIVE_UP_MS = 90_000;
const PASSIVE_MS = 10_000;

export function createSimulatedWireguard(
  clock: VirtualClock,
  transmit: (packet: Sealed, to: Endpoint) => void,
  onData: (packet: SealedData) => void,
): SimulatedWireguard {
  let endpoint: Endpoint | null = null;
  let keepaliveMs = 0;
  let sent = 0;
  let received = 0;
  let sessionSinceMs = Number.NEGATIVE_INFINITY;
  let isInitiator = false;
  let lastSentMs = clock.now();
  let lastReceivedMs = clock.now();
  let wantedAtMs = Number.NEGATIVE_INFINITY;
  let queued: SealedData[] = [];
  let cancelRetry: (() => void) | null = null;
  let cancelUnanswered: (() => void) | null = null;
  let cancelPassive: (() => void) | null = null;
  let cancelKeepalive = () => {};

  function put(packet: Sealed): void {
    if (endpoint === null) return;
    sent += BYTES[packet.kind];
    lastSentMs = clock.now();
    cancelPassive?.();
    cancelPassive = null;
    transmit(packet, endpoint);
  }

  function seal(packet: SealedData | { kind: "keepalive" }): void {
    const ageMs = clock.now() - sessionSinceMs;
    if (ageMs >= REJECT_MS && packet.kind === "data") queued = [...queued.slice(-9), packet];
    // Only who began a session renews it; else both would at once.
    if (ageMs >= (isInitiator ? REKEY_MS : REJECT_MS)) shakeHands();
    if (ageMs >= REJECT_MS) return;
    if (packet.kind === "data") {
      cancelUnanswered ??= clock.after(PASSIVE_MS + RETRY_MS, () => {
        cancelUnanswered = null;
        shakeHands();
      });
    }
    put(packet);
  }

  function shakeHands(): void {
    wantedAtMs = clock.now();
    if (cancelRetry === null) initiate();
  }
  function initiate(): void {
    cancelRetry = null;
    if (clock.now() - wantedAtMs > GIVE_UP_MS) return;
    cancelRetry = clock.after(RETRY_MS, initiate);
    put({ kind: "init" });
  }
  function beginSession(isOurs: boolean): void {
    isInitiator = isOurs;
    sessionSinceMs = clock.now();
    cancelRetry?.();
    cancelRetry = null;
  }
  function flush(): void {
    const packets = queued;
    queued = [];
    if (packets.length === 0) seal({ kind: "keepalive" });
    for (const packet of packets) seal(packet);
  }

  function keep(): void {
    cancelKeepalive();
    if (keepaliveMs === 0) return;
    cancelKeepalive = clock.after(keepaliveMs, () => {
      if (clock.now() - lastSentMs >= keepaliveMs || clock.now() - sessionSinceMs >= REJECT_MS)
        seal({ kind: "keepalive" });
      keep();
    });
  }

  function answerLater(): void {
    cancelPassive ??= clock.after(PASSIVE_MS, () => {
      cancelPassive = null;
      if (lastReceivedMs > lastSentMs) seal({ kind: "keepalive" });
    });
  }

  return {
    endpoint: () => endpoint,
    setEndpoint(next) {
      endpoint = next;
    },
    setKeepalive(seconds) {
      if (seconds * 1_000 === keepaliveMs) return;
      // Switching it on sends one at once.
      const wasOff = keepaliveMs === 0;
      keepaliveMs = seconds * 1_000;
      if (wasOff) seal({ kind: "keepalive" });
      keep();
    },
    send: seal,
    receive(packet, from) {
      received += BYTES[packet.kind];
      lastReceivedMs = clock.now();
      endpoint = from;
      cancelUnanswered?.();
      cancelUnanswered = null;
      if (packet.kind === "init") {
        beginSession(false);
        put({ kind: "response" });
      } else if (packet.kind === "response") {
        beginSession(true);
        flush();
      } else if (packet.kind === "data") {
        answerLater();
        onData(packet);
      }
    },
    counters: () => ({ sent, received }),
  };
}
