// How long the NAT keeps a mapping that nobody uses (RFC 5780, section 4.6), so that keepalives can be as rare as they may be.
//
// A socket X that binds again after a silence can't tell whether its mapping outlived it, because many NATs give the same port again. So
// the server is made to answer X without X having asked: another socket Y asks, with RESPONSE-PORT naming X's public port. What still
// arrives at X came through the old mapping. One X for each silence, all at once; WireGuard's port has no part in it.
import { type Endpoint, parseEndpoint } from "#schema/address";
import { err, ok, type Result } from "#schema/result";
import { parseStun } from "../stun/codec.ts";
import type { Clock } from "../system/clock.ts";
import type { UdpSockets } from "../system/udp.ts";
import { addressOf } from "./classify.ts";
import { type FreshClient, openFreshClient } from "./fresh-client.ts";

export interface LifetimeOptions {
  /** One that does RFC 5780. */
  readonly server: Endpoint;
  readonly udp: UdpSockets;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Ascending. */
  readonly silencesSeconds?: readonly number[];
  readonly warmUpPauseMs?: number;
}

export interface LifetimeFailure {
  readonly code: "no_answer" | "no_response_port" | "address_differs" | "interrupted";
  readonly message: string;
}

/** Notices an answer that it didn't ask for. */
interface Listener extends FreshClient {
  readonly arrived: AbortSignal;
}

/** NATs forget after 30, 60, 120 or 180 s: what comes a little earlier gets through, and a keepalive can stay under it. */
const SILENCES_SECONDS: readonly number[] = [28, 58, 118];
/** Linux takes a flow for a lasting one, as WireGuard's are, when it goes on both ways for more than 2 s. */
const WARM_UP_ROUNDS = 4;
const WARM_UP_PAUSE_MS = 1_000;
const ANSWER_WITHIN_MS = 1_500;
/** A machine that slept was silent for longer than it meant to. */
const MAX_OVERSLEPT_MS = 5_000;

const MESSAGES: Record<LifetimeFailure["code"], string> = {
  no_answer: "the STUN server did not answer",
  no_response_port: "the STUN server does not answer to another port (RESPONSE-PORT of RFC 5780)",
  address_differs: "the NAT gives two sockets two public addresses",
  interrupted: "the machine slept meanwhile",
};
const fail = (code: LifetimeFailure["code"]) => err({ code, message: MESSAGES[code] });

/**
 * The longest silence that a mapping outlived, seconds; 0 when it was forgotten within the shortest. Takes as long as the longest one
 * that is outlived and a few seconds. Rejects when aborted.
 */
export async function measureLifetime(options: LifetimeOptions): Promise<Result<number, LifetimeFailure>> {
  const { silencesSeconds = SILENCES_SECONDS, signal } = options;
  const sockets: FreshClient[] = [];
  const keep = <T extends FreshClient>(client: T): T => {
    sockets.push(client);
    return client;
  };
  try {
    const asker = keep(await openFreshClient(options));
    const control = keep(await openListener(options));
    const problem = await findProblem(options, asker, control);
    if (problem !== null) return fail(problem);
    const listeners: Listener[] = [];
    for (const _ of silencesSeconds) listeners.push(keep(await openListener(options)));
    return await outlive(options, asker, listeners, silencesSeconds);
  } finally {
    for (const { socket } of sockets) socket.close();
    signal.throwIfAborted();
  }
}

async function openListener({ udp, clock }: LifetimeOptions): Promise<Listener> {
  const arrived = new AbortController();
  const onOther = (packet: Buffer) => {
    if (parseStun(packet)?.class === "success") arrived.abort();
  };
  return { ...(await openFreshClient({ udp, clock, onOther })), arrived: arrived.signal };
}

/** Tries it without a silence first: what fails then says nothing of the NAT's memory. */
async function findProblem(
  options: LifetimeOptions,
  asker: FreshClient,
  control: Listener,
): Promise<LifetimeFailure["code"] | null> {
  const { server, signal } = options;
  const [own, mapped] = await Promise.all([asker, control].map((client) => client.binding(server, { signal })));
  if (!own || !mapped) return "no_answer";
  if (addressOf(own.mapped) !== addressOf(mapped.mapped)) return "address_differs";
  return (await isReached(options, asker, control, mapped.mapped)) ? null : "no_response_port";
}

async function outlive(
  options: LifetimeOptions,
  asker: FreshClient,
  listeners: readonly Listener[],
  silencesSeconds: readonly number[],
): Promise<Result<number, LifetimeFailure>> {
  const { clock, signal } = options;
  const mapped = await Promise.all(listeners.map((listener) => warmUp(options, listener)));
  const silentSince = clock.now();
  let outlived = 0;
  for (const [index, seconds] of silencesSeconds.entries()) {
    const [listener, endpoint] = [listeners[index], mapped[index]];
    if (listener === undefined || !endpoint) return fail("no_answer");
    const end = silentSince + seconds * 1_000;
    await clock.sleep(Math.max(0, end - clock.now()), signal);
    if (clock.now() - end > MAX_OVERSLEPT_MS) return fail("interrupted");
    if (!(await isReached(options, asker, listener, endpoint))) return ok(outlived);
    outlived = seconds;
  }
  return ok(outlived);
}

async function warmUp(options: LifetimeOptions, listener: Listener): Promise<Endpoint | null> {
  const { server, clock, signal, warmUpPauseMs = WARM_UP_PAUSE_MS } = options;
  let mapped: Endpoint | null = null;
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    if (round > 0) await clock.sleep(warmUpPauseMs, signal);
    mapped = (await listener.binding(server, { signal }))?.mapped ?? mapped;
  }
  return mapped;
}

async function isReached(
  { server, signal }: LifetimeOptions,
  asker: FreshClient,
  listener: Listener,
  mapped: Endpoint,
): Promise<boolean> {
  const responsePort = parseEndpoint(mapped)?.port ?? 0;
  const end = AbortSignal.any([signal, listener.arrived]);
  await asker.ask(server, { responsePort, signal: end, timeoutMs: ANSWER_WITHIN_MS });
  return listener.arrived.aborted;
}
