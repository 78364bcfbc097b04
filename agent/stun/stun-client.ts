// Asks STUN servers how they see a socket of ours: one Binding transaction each, sent again as RFC 8489 section 6.2.1 says. The socket
// belongs to the caller, who passes what arrives at it to `receive`.
import type { Endpoint } from "#schema/address";
import type { Clock } from "../system/clock.ts";
import { createTransactionId } from "../system/stun-crypto.ts";
import type { UdpSocket } from "../system/udp.ts";
import { type ParsedStun, parseStun, renderStun, type StunAttributes } from "./codec.ts";

/** RFC 8489 suggests 500 ms and seven tries, 39.5 s in all. A path that takes so long is of no use here. */
const FIRST_RTO_MS = 250;
const DEFAULT_TIMEOUT_MS = 3_000;

export interface StunAnswer {
  /** Our socket as the server sees it. */
  readonly mapped: Endpoint;
  readonly from: Endpoint;
  /** Where the server also answers from; null when it doesn't do RFC 5780. */
  readonly otherAddress: Endpoint | null;
  /** Since the first request was sent. */
  readonly roundTripMs: number;
}

export interface BindingOptions {
  /** Ask for an answer from the server's other address or port (RFC 5780). */
  readonly changeAddress?: boolean;
  readonly changePort?: boolean;
  /** Ask that the answer go to this port of our public address. */
  readonly responsePort?: number;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** `refused`: an error response, with its code. `silent`: nothing came, or the caller gave up. */
export type StunOutcome =
  | { readonly kind: "answered"; readonly answer: StunAnswer }
  | { readonly kind: "refused"; readonly code: number }
  | { readonly kind: "silent" };

export interface StunClient {
  ask(server: Endpoint, options?: BindingOptions): Promise<StunOutcome>;
  /** The answer, or null. */
  binding(server: Endpoint, options?: BindingOptions): Promise<StunAnswer | null>;
}

export interface StunReceiver {
  /** True: it answers a request of this client, so nobody else needs to look at it. */
  receive(packet: Buffer, from: Endpoint): boolean;
}

export interface StunClientPorts {
  readonly socket: Pick<UdpSocket, "send">;
  readonly clock: Clock;
  /** 12 bytes that can't be guessed. */
  readonly newTransactionId?: () => Buffer;
}

interface Transaction {
  readonly server: Endpoint;
  readonly startedAt: number;
  /** With a changed address or port the answer comes from elsewhere; then only the transaction id tells whose it is. */
  readonly isFromElsewhere: boolean;
  readonly end: (outcome: StunOutcome) => void;
}

export function createStunClient(ports: StunClientPorts): StunClient & StunReceiver {
  const { socket, clock, newTransactionId = createTransactionId } = ports;
  const transactions = new Map<string, Transaction>();

  function ask(server: Endpoint, options: BindingOptions = {}): Promise<StunOutcome> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (signal?.aborted) return Promise.resolve({ kind: "silent" });
    const transactionId = newTransactionId();
    const packet = renderStun({ class: "request", transactionId, attributes: toAttributes(options) });
    return new Promise((resolve) => {
      const id = transactionId.toString("hex");
      let cancelResend = () => {};
      const end = (outcome: StunOutcome) => {
        transactions.delete(id);
        cancelResend();
        cancelTimeout();
        signal?.removeEventListener("abort", onAbort);
        resolve(outcome);
      };
      const onAbort = () => end({ kind: "silent" });
      const send = (waitMs: number) => {
        socket.send(packet, server);
        cancelResend = clock.setTimer(waitMs, () => send(waitMs * 2));
      };
      const cancelTimeout = clock.setTimer(timeoutMs, () => end({ kind: "silent" }));
      signal?.addEventListener("abort", onAbort, { once: true });
      const isFromElsewhere = options.changeAddress === true || options.changePort === true;
      transactions.set(id, { server, startedAt: clock.now(), isFromElsewhere, end });
      send(FIRST_RTO_MS);
    });
  }

  return {
    ask,
    async binding(server, options) {
      const outcome = await ask(server, options);
      return outcome.kind === "answered" ? outcome.answer : null;
    },
    receive(packet, from) {
      const parsed = parseStun(packet);
      if (parsed === null || (parsed.class !== "success" && parsed.class !== "error")) return false;
      const transaction = transactions.get(parsed.transactionId.toString("hex"));
      if (transaction === undefined) return false;
      if (from === transaction.server || transaction.isFromElsewhere) {
        const outcome = toOutcome(parsed, from, clock.now() - transaction.startedAt);
        if (outcome !== null) transaction.end(outcome);
      }
      return true;
    },
  };
}

function toAttributes({ changeAddress = false, changePort = false, responsePort }: BindingOptions): StunAttributes {
  return {
    ...(changeAddress || changePort ? { changeRequest: { changeAddress, changePort } } : {}),
    ...(responsePort === undefined ? {} : { responsePort }),
  };
}

/** Null: an answer that says nothing, which is as good as none. */
function toOutcome({ class: kind, attributes }: ParsedStun, from: Endpoint, roundTripMs: number): StunOutcome | null {
  const { errorCode, otherAddress = null, unknownRequired } = attributes;
  if (kind === "error") return errorCode === undefined ? null : { kind: "refused", code: errorCode.code };
  // Servers of RFC 3489's time know no XOR.
  const mapped = attributes.xorMappedAddress ?? attributes.mappedAddress;
  if (mapped === undefined || unknownRequired !== undefined) return null;
  return { kind: "answered", answer: { mapped, from, otherAddress, roundTripMs } };
}
