import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { MachineId } from "#schema/ids";
import { renderStun, type StunAttributes, type StunClass } from "../../stun/codec.ts";
import { appendFingerprint, appendIntegrity } from "../../stun/integrity.ts";
import { silentLogger } from "../../system/logger.ts";
import { randomBytes } from "../../system/random.ts";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { testMachineId } from "../../testing/mesh-model.ts";
import { renderCheck, renderCheckAnswer } from "./check-messages.ts";
import { type CheckAnswer, type Checker, createChecker } from "./checker.ts";

const [HERE, THERE, STRANGER, OTHER] = [1, 2, 3, 4].map(testMachineId) as [MachineId, MachineId, MachineId, MachineId];
const HOME = "198.51.100.1:51820" as Endpoint;
const AWAY = "203.0.113.2:51820" as Endpoint;
const ELSEWHERE = "192.0.2.66:666" as Endpoint;
const KEY = Buffer.alloc(32, 7);
const OTHER_KEY = Buffer.alloc(32, 9);
const WRONG_KEY = Buffer.alloc(32, 8);

interface Side {
  readonly checker: Checker;
  readonly answers: { readonly peerId: MachineId; readonly answer: CheckAnswer }[];
  readonly checks: { readonly peerId: MachineId; readonly endpoint: Endpoint; readonly isNominated: boolean }[];
  isReady: boolean;
  keyProblem: Error | null;
  /** With the other one. */
  keys: readonly Buffer[];
  readonly usedKeys: Uint8Array[];
}

let clock: FakeClock;
let here: Side;
let there: Side;
beforeEach(() => {
  clock = createFakeClock();
  here = createSide(HERE, THERE);
  there = createSide(THERE, HERE);
});

function createSide(machineId: MachineId, peerId: MachineId): Side {
  const side: Side = {
    ...{ answers: [], checks: [], isReady: true, keyProblem: null, keys: [KEY], usedKeys: [] },
    checker: createChecker({
      ...{ machineId, clock, randomBytes, log: silentLogger },
      keys: {
        async of(id) {
          if (side.keyProblem !== null) throw side.keyProblem;
          return (
            new Map([
              [peerId, side.keys],
              [OTHER, [OTHER_KEY]],
            ]).get(id) ?? []
          );
        },
        async noteUsed(_, key) {
          side.usedKeys.push(key);
        },
      },
      isReady: () => side.isReady,
      onAnswered: (id, answer) => side.answers.push({ peerId: id, answer }),
      onChecked: (id, endpoint, isNominated) => side.checks.push({ peerId: id, endpoint, isNominated }),
    }),
  };
  return side;
}

/** A check from here to there, as it goes out. */
async function check(endpoint: Endpoint | null = AWAY, isNominated = false): Promise<Buffer> {
  const packets: Buffer[] = [];
  const transmit = (packet: Buffer) => packets.push(packet);
  await here.checker.send({ peerId: THERE, endpoint, isNominated, transmit });
  return packets[0] ?? Buffer.alloc(0);
}

/** What comes back for a packet that arrives; null: silence. */
async function arrive(side: Side, packet: Buffer, from: Endpoint | null): Promise<Buffer | null> {
  const replies: Buffer[] = [];
  await side.checker.receive(packet, { from, reply: (reply) => replies.push(reply) });
  expect(replies.length).toBeLessThan(2);
  return replies[0] ?? null;
}

const requestOf = (changes: { receiver?: MachineId; sender?: MachineId; key?: Buffer } = {}) =>
  renderCheck(
    {
      transactionId: randomBytes(12),
      receiver: changes.receiver ?? THERE,
      sender: changes.sender ?? HERE,
      isNominated: false,
    },
    changes.key ?? KEY,
  );

/** Signed, with an attribute that nobody knows and everybody has to. */
function signUnknown(kind: StunClass, transactionId: Buffer, attributes: StunAttributes): Buffer {
  const bare = renderStun({ class: kind, transactionId, attributes });
  const packet = Buffer.concat([bare, Buffer.from([0x7f, 0xff, 0, 4, 1, 2, 3, 4])]);
  packet.writeUInt16BE(packet.length - 20, 2);
  return appendFingerprint(appendIntegrity(packet, { key: KEY, algorithm: "sha256" }));
}

describe("a check", () => {
  it("is answered with where it came from, and measures the way", async () => {
    const answer = await arrive(there, await check(), HOME);
    await clock.advance(40);
    await arrive(here, answer ?? Buffer.alloc(0), AWAY);
    expect(here.answers).toEqual([{ peerId: THERE, answer: { endpoint: AWAY, mapped: HOME, roundTripMs: 40 } }]);
    expect(there.checks).toEqual([{ peerId: HERE, endpoint: HOME, isNominated: false }]);
  });

  it("tells that its endpoint was chosen", async () => {
    await arrive(there, await check(AWAY, true), HOME);
    expect(there.checks).toMatchObject([{ isNominated: true }]);
  });

  it("measures a relay too, which proves no endpoint", async () => {
    const answer = await arrive(there, await check(null), null);
    await arrive(here, answer ?? Buffer.alloc(0), null);
    expect(here.answers).toMatchObject([{ answer: { endpoint: null, mapped: null } }]);
    expect(there.checks).toEqual([]);
  });

  it("is not sent to who is no peer", async () => {
    const packets: Buffer[] = [];
    const transmit = (packet: Buffer) => packets.push(packet);
    await here.checker.send({ peerId: STRANGER, endpoint: AWAY, isNominated: false, transmit });
    expect(packets).toEqual([]);
  });

  it("of a birthday punch is answered without anybody hearing of the answer but who asked for it", async () => {
    const packets: Buffer[] = [];
    const transmit = (packet: Buffer) => packets.push(packet);
    await here.checker.send({ peerId: THERE, endpoint: AWAY, isNominated: false, transmit, isSilent: true });
    const answer = await arrive(there, packets[0] ?? Buffer.alloc(0), HOME);
    const sender = await here.checker.receive(answer ?? Buffer.alloc(0), { from: AWAY, reply: () => {} });
    expect([sender, here.answers]).toEqual([THERE, []]);
  });
});

describe("there is silence", () => {
  it.each<[string, () => Buffer]>([
    ["for a check made with another key", () => requestOf({ key: WRONG_KEY })],
    ["for a check to another machine", () => requestOf({ receiver: STRANGER })],
    ["for a check to who sent it", () => requestOf({ receiver: HERE, sender: THERE })],
    ["for a check of who is no peer", () => requestOf({ sender: STRANGER })],
    [
      "for a check without a key",
      () =>
        renderStun(
          { class: "request", transactionId: randomBytes(12), attributes: { username: `${THERE}:${HERE}` } },
          { hasFingerprint: true },
        ),
    ],
    [
      "for a check without a fingerprint",
      () =>
        renderStun(
          { class: "request", transactionId: randomBytes(12), attributes: { username: `${THERE}:${HERE}` } },
          { integrity: { key: KEY, algorithm: "sha256" } },
        ),
    ],
    [
      "for a check with the weaker kind of integrity",
      () =>
        renderStun(
          { class: "request", transactionId: randomBytes(12), attributes: { username: `${THERE}:${HERE}` } },
          { integrity: { key: KEY, algorithm: "sha1" }, hasFingerprint: true },
        ),
    ],
    [
      "for a check with an attribute that has to be understood and is not",
      () => signUnknown("request", randomBytes(12), { username: `${THERE}:${HERE}` }),
    ],
    [
      "for a stranger's question what its address is",
      () => renderStun({ class: "request", transactionId: randomBytes(12), attributes: {} }, { hasFingerprint: true }),
    ],
  ])("%s", async (_, packetOf) => {
    expect(await arrive(there, packetOf(), HOME)).toBeNull();
    expect(there.checks).toEqual([]);
  });

  it("for a check of a peer that WireGuard does not know yet, which may be sent again", async () => {
    there.isReady = false;
    expect(await arrive(there, await check(), HOME)).toBeNull();
    expect(there.checks).toEqual([]);
    there.isReady = true;
    expect(await arrive(there, await check(), HOME)).not.toBeNull();
  });

  it("for a check that was recorded and comes again, from wherever", async () => {
    const packet = await check(AWAY, true);
    expect(await arrive(there, packet, HOME)).not.toBeNull();
    expect(await arrive(there, packet, ELSEWHERE)).toBeNull();
    expect(await arrive(there, packet, HOME)).toBeNull();
    expect(there.checks).toHaveLength(1);
  });

  it("for a recorded check, however many checks of another peer came since", async () => {
    const packet = await check(AWAY, true);
    await arrive(there, packet, HOME);
    for (let count = 0; count < 5_000; count++) {
      await arrive(there, requestOf({ sender: OTHER, key: OTHER_KEY }), ELSEWHERE);
    }
    expect(await arrive(there, packet, HOME)).toBeNull();
  });

  it("for what is neither a check nor an answer, whatever its bytes", async () => {
    const [request, answer] = [await check(), renderCheckAnswer(randomBytes(12), HOME, KEY)];
    const mutated = (packet: Buffer) =>
      fc
        .tuple(fc.nat(packet.length - 1), fc.integer({ min: 1, max: 255 }))
        .map(([at, bits]) => Buffer.from(packet.map((byte, index) => (index === at ? byte ^ bits : byte))));
    const cut = (packet: Buffer) => fc.nat(packet.length - 1).map((length) => packet.subarray(0, length));
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const hostile = fc.oneof(bytes, ...[request, answer].flatMap((packet) => [mutated(packet), cut(packet)]));
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom(HOME, null), async (packet, from) => {
        expect(await arrive(there, packet, from)).toBeNull();
        expect([there.checks, there.answers]).toEqual([[], []]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a key that can't be read", () => {
  it("is no key: nothing is sent or answered, nothing rejects, and the next check reads it again", async () => {
    const packet = requestOf();
    const answer = (await arrive(there, await check(), HOME)) ?? Buffer.alloc(0);
    [here.keyProblem, there.keyProblem] = [new Error("EIO"), new Error("EIO")];
    expect(await check()).toHaveLength(0);
    expect(await arrive(there, packet, HOME)).toBeNull();
    expect(await here.checker.receive(answer, { from: AWAY, reply: () => undefined })).toBeNull();
    [here.keyProblem, there.keyProblem] = [null, null];
    expect(await arrive(there, packet, HOME)).not.toBeNull();
    await arrive(here, answer, AWAY);
    expect(here.answers).toHaveLength(1);
  });
});

describe("an answer", () => {
  const answerTo = async (packet: Buffer) => (await arrive(there, packet, HOME)) ?? Buffer.alloc(0);

  it("from elsewhere than where the check went proves nothing", async () => {
    const answer = await answerTo(await check());
    await arrive(here, answer, ELSEWHERE);
    await arrive(here, answer, null);
    expect(here.answers).toEqual([]);
    await arrive(here, answer, AWAY);
    expect(here.answers).toHaveLength(1);
  });

  it("counts once", async () => {
    const answer = await answerTo(await check());
    await Promise.all([arrive(here, answer, AWAY), arrive(here, answer, AWAY)]);
    expect(here.answers).toHaveLength(1);
  });

  it("made with another key leaves the check open for the true one", async () => {
    const packet = await check();
    const transactionId = Buffer.from(packet.subarray(8, 20));
    await arrive(here, renderCheckAnswer(transactionId, ELSEWHERE, WRONG_KEY), AWAY);
    expect(here.answers).toEqual([]);
    await arrive(here, await answerTo(packet), AWAY);
    expect(here.answers).toHaveLength(1);
  });

  it("with an attribute that has to be understood and is not proves nothing", async () => {
    const transactionId = Buffer.from((await check()).subarray(8, 20));
    await arrive(here, signUnknown("success", transactionId, { xorMappedAddress: HOME }), AWAY);
    expect(here.answers).toEqual([]);
  });

  it("to nothing that was asked is ignored", async () => {
    await arrive(here, renderCheckAnswer(randomBytes(12), HOME, KEY), AWAY);
    expect(here.answers).toEqual([]);
  });

  it("that took longer than five seconds is too late, once others were sent", async () => {
    const answer = await answerTo(await check());
    await clock.advance(5_001);
    await check();
    await arrive(here, answer, AWAY);
    expect(here.answers).toEqual([]);
  });
});
