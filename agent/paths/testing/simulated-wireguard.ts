// As much of WireGuard as paths depend on: one peer, where packets to it go, roaming to wherever the newest packet came from, keepalives, and
// handshakes that are tried anew when nothing comes back.
import type { Endpoint } from "#schema/address";
import type { VirtualClock } from "./virtual-clock.ts";

export type Sealed =
  | { readonly kind: "data"; readonly payload: number; readonly isEcho: boolean }
  | { readonly kind: "keepalive" | "init" | "response" };

export interface SimulatedWireguard {
  endpoint(): Endpoint | null;
  setEndpoint(endpoint: Endpoint): void;
  setKeepalive(seconds: number): void;
  send(packet: Sealed): void;
  /** An authentic packet of the peer, wherever it came from. */
  receive(packet: Sealed, from: Endpoint): void;
  /** Bytes in all. */
  counters(): { sent: number; received: number };
}

const BYTES = { data: 128, keepalive: 32, init: 148, response: 92 };
/** KEEPALIVE_TIMEOUT, KEEPALIVE_TIMEOUT + REKEY_TIMEOUT, REKEY_TIMEOUT and REKEY_ATTEMPT_TIME of the protocol's section 6. */
const PASSIVE_MS = 10_000;
const NEW_HANDSHAKE_MS = 15_000;
const RETRY_MS = 5_000;
const GIVE_UP_MS = 90_000;

export function createSimulatedWireguard(
  clock: VirtualClock,
  transmit: (packet: Sealed, to: Endpoint) => void,
  onData: (packet: Sealed & { kind: "data" }) => void,
): SimulatedWireguard {
  let endpoint: Endpoint | null = null;
  let keepaliveMs = 0;
  let sent = 0;
  let received = 0;
  let lastSentMs = clock.now();
  let lastDataSentMs = Number.NEGATIVE_INFINITY;
  let lastReceivedMs = clock.now();
  let cancelHandshake: (() => void) | null = null;
  let cancelPassive: (() => void) | null = null;
  let cancelKeepalive = () => {};

  function send(packet: Sealed): void {
    if (endpoint === null) return;
    const nowMs = clock.now();
    sent += BYTES[packet.kind];
    lastSentMs = nowMs;
    cancelPassive?.();
    cancelPassive = null;
    if (packet.kind === "data") {
      lastDataSentMs = nowMs;
      expectAnswer();
    }
    transmit(packet, endpoint);
  }

  function expectAnswer(): void {
    cancelHandshake ??= clock.after(NEW_HANDSHAKE_MS, handshake);
  }
  function handshake(): void {
    cancelHandshake = null;
    if (clock.now() - lastDataSentMs > GIVE_UP_MS) return;
    send({ kind: "init" });
    cancelHandshake = clock.after(RETRY_MS, handshake);
  }
  function keep(): void {
    cancelKeepalive();
    if (keepaliveMs === 0) return;
    cancelKeepalive = clock.after(keepaliveMs, () => {
      if (clock.now() - lastSentMs >= keepaliveMs) send({ kind: "keepalive" });
      keep();
    });
  }

  return {
    endpoint: () => endpoint,
    setEndpoint(next) {
      endpoint = next;
    },
    setKeepalive(seconds) {
      if (seconds * 1_000 === keepaliveMs) return;
      // Setting a keepalive sends one at once.
      const wasOff = keepaliveMs === 0;
      keepaliveMs = seconds * 1_000;
      if (wasOff) send({ kind: "keepalive" });
      keep();
    },
    send,
    receive(packet, from) {
      received += BYTES[packet.kind];
      lastReceivedMs = clock.now();
      endpoint = from;
      cancelHandshake?.();
      cancelHandshake = null;
      if (packet.kind === "init") send({ kind: "response" });
      if (packet.kind !== "data") return;
      cancelPassive ??= clock.after(PASSIVE_MS, () => {
        cancelPassive = null;
        if (lastReceivedMs > lastSentMs) send({ kind: "keepalive" });
      });
      onData(packet);
    },
    counters: () => ({ sent, received }),
  };
}
