import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { createFakeClock } from "../testing/fake-clock.ts";
import { parseStun, renderStun, type StunAttributes, type StunClass } from "./codec.ts";
import { type BindingOptions, createStunClient, type StunOutcome } from "./stun-client.ts";

const SERVER = "192.0.2.10:3478" as Endpoint;
const OTHER = "192.0.2.11:3479" as Endpoint;
const MAPPED = "198.51.100.7:51820" as Endpoint;

describe("a STUN client", () => {
  it("takes the answer of its server", async () => {
    const { ask, answer, outcomes, clock } = start();
    ask();
    await clock.advance(40);

    expect(answer({ xorMappedAddress: MAPPED, otherAddress: OTHER })).toBe(true);

    await clock.advance(0);
    const expected = { mapped: MAPPED, from: SERVER, otherAddress: OTHER, roundTripMs: 40 };
    expect(outcomes).toEqual([{ kind: "answered", answer: expected }]);
    expect(clock.pending()).toBe(0);
  });

  it("asks again after 250, 500, 1,000 ms and gives up after 3 s", async () => {
    const { ask, sentAt, outcomes, clock } = start();
    ask();

    await clock.advance(2_999);
    expect(outcomes).toEqual([]);
    await clock.advance(10_000);

    expect(sentAt()).toEqual([0, 250, 750, 1_750]);
    expect(outcomes).toEqual([{ kind: "silent" }]);
    expect(clock.pending()).toBe(0);
  });

  it("says the same each time, so that a late answer still counts", async () => {
    const { ask, sent, answer, outcomes, clock } = start();
    ask();
    await clock.advance(300);

    expect(sent[1]?.packet).toEqual(sent[0]?.packet);
    answer({ mappedAddress: MAPPED });
    await clock.advance(0);

    expect(outcomes).toMatchObject([{ kind: "answered", answer: { mapped: MAPPED, otherAddress: null } }]);
  });

  it("ignores answers from elsewhere, to others, and without an address", async () => {
    const { ask, answer, receive, outcomes, clock } = start();
    ask();

    expect(answer({ xorMappedAddress: MAPPED }, { from: OTHER })).toBe(true);
    expect(answer({}, {})).toBe(true);
    expect(answer({ xorMappedAddress: MAPPED }, { transactionId: Buffer.alloc(12) })).toBe(false);
    expect(answer({ xorMappedAddress: MAPPED }, { class: "indication" })).toBe(false);
    expect(receive(Buffer.from("no STUN"), SERVER)).toBe(false);

    await clock.advance(3_000);
    expect(outcomes).toEqual([{ kind: "silent" }]);
  });

  it("leaves an answer that comes too late to others", async () => {
    const { ask, answer, clock } = start();
    ask();
    await clock.advance(3_000);

    expect(answer({ xorMappedAddress: MAPPED })).toBe(false);
  });

  it("takes an answer from elsewhere when it asked for one", async () => {
    const { ask, sent, answer, outcomes, clock } = start();
    ask({ changeAddress: true, changePort: true });

    answer({ xorMappedAddress: MAPPED }, { from: OTHER });
    await clock.advance(0);

    const changeRequest = { changeAddress: true, changePort: true };
    expect(parseStun(sent[0]?.packet ?? Buffer.alloc(0))?.attributes).toEqual({ changeRequest });
    expect(outcomes).toMatchObject([{ kind: "answered", answer: { from: OTHER } }]);
  });

  it("tells a refusal from silence", async () => {
    const { ask, answer, outcomes, clock } = start();
    ask({ responsePort: 1_234 });

    answer({ errorCode: { code: 420, reason: "Unknown Attribute" } }, { class: "error" });
    await clock.advance(0);

    expect(outcomes).toEqual([{ kind: "refused", code: 420 }]);
  });

  it("ends at once when it is aborted, before and while it waits", async () => {
    const { ask, sent, outcomes, clock } = start();
    const abort = new AbortController();
    ask({ signal: abort.signal });

    abort.abort();
    ask({ signal: abort.signal });
    await clock.advance(0);

    expect(outcomes).toEqual([{ kind: "silent" }, { kind: "silent" }]);
    expect(sent).toHaveLength(1);
    expect(clock.pending()).toBe(0);
  });
});

interface AnswerOptions {
  readonly from?: Endpoint;
  readonly transactionId?: Buffer;
  readonly class?: StunClass;
}

function start() {
  const clock = createFakeClock();
  const startedAt = clock.now();
  const sent: { packet: Buffer; at: number }[] = [];
  const outcomes: StunOutcome[] = [];
  const socket = {
    send: (packet: Uint8Array) => sent.push({ packet: Buffer.from(packet), at: clock.now() - startedAt }),
  };
  const client = createStunClient({ socket, clock });
  return {
    clock,
    sent,
    outcomes,
    sentAt: () => sent.map(({ at }) => at),
    receive: client.receive,
    ask(options?: BindingOptions) {
      void client.ask(SERVER, options).then((outcome) => outcomes.push(outcome));
    },
    /** Answers what was sent last. */
    answer(attributes: StunAttributes, options: AnswerOptions = {}) {
      const transactionId = options.transactionId ?? sent.at(-1)?.packet.subarray(8, 20) ?? Buffer.alloc(12);
      const packet = renderStun({ class: options.class ?? "success", transactionId, attributes });
      return client.receive(packet, options.from ?? SERVER);
    },
  };
}
