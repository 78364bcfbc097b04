import { beforeEach, describe, expect, it } from "vitest";
import { type Endpoint, parseEndpoint } from "#schema/address";
import type { Lane } from "../../stun/packet-rules.ts";
import { silentLogger } from "../../system/logger.ts";
import { randomBytes } from "../../system/random.ts";
import type { UdpSocket, UdpSockets } from "../../system/udp.ts";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { createFakeNat, type FakeNat } from "../../testing/fake-nat.ts";
import { testMachineId } from "../../testing/mesh-model.ts";
import { type Birthday, createBirthday, pickPorts } from "./birthday.ts";
import { type Birthdays, createBirthdays } from "./birthdays.ts";
import { type CheckAnswer, type Checker, createChecker } from "./checker.ts";

const [HARD, EASY] = [testMachineId(1), testMachineId(2)];
const EASY_ENDPOINT = "203.0.113.2:51820" as Endpoint;
const KEY = Buffer.alloc(32, 7);

/** The same in each run. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

let clock: FakeClock;
let nat: FakeNat;
/** Sockets of the hard side that are open. */
let open: Set<number>;
/** Lanes that are in force at the hard side, and where it was found that they lead to. */
let lanes: Lane[];
let reached: Endpoint[];
let guesses: Endpoint[];
let answers: CheckAnswer[];
/** Turns of the hard side. */
let birthdays: Birthdays;
let hard: Birthday;
let easy: Birthday;
/** What each does when its turn comes. */
let onHardTurn: () => void;
let onEasyTurn: () => void;

beforeEach(() => {
  clock = createFakeClock();
  nat = createFakeNat({
    ...{ clock, mapping: "address-and-port-dependent", filtering: "address-and-port-dependent", preservesPort: false },
  });
  [open, lanes, reached, guesses, answers] = [new Set(), [], [], [], []];
  birthdays = createBirthdays();
  [onHardTurn, onEasyTurn] = [() => undefined, () => undefined];
  hard = createHardSide();
  easy = createEasySide();
});

function openPorts(remote = EASY_ENDPOINT): void {
  onHardTurn = () => hard.openPorts(remote);
  hard.ask();
}
function guessPorts(address: string = nat.publicAddress): void {
  onEasyTurn = () => easy.guessPorts(address);
  easy.ask();
}

const countingUdp = (): UdpSockets => ({
  async open(options) {
    const socket = await nat.open(options);
    open.add(socket.port);
    const close = () => {
      open.delete(socket.port);
      socket.close();
    };
    return { ...socket, close };
  },
});

function createHardSide(): Birthday {
  return createBirthday({
    ...{
      peerId: EASY,
      wireguardPort: 51_820,
      udp: countingUdp(),
      clock,
      random: createRandom(),
      checker: createTestChecker(HARD),
    },
    ...{ birthdays, onTurn: () => onHardTurn() },
    probe: () => undefined,
    addLane: async (lane) => void lanes.push(lane),
    dropLane: (lane) => {
      lanes = lanes.filter(({ remote }) => remote !== lane.remote);
    },
    onLane: (remote) => reached.push(remote),
  });
}

function createEasySide(): Birthday {
  const socket: UdpSocket = nat.openOutside(EASY_ENDPOINT);
  const sentTo = new Set<Endpoint>();
  const checker = createTestChecker(EASY);
  // Its NAT lets in only answers.
  socket.listen((packet, from) => {
    const reply = (answer: Buffer) => socket.send(answer, from);
    if (sentTo.has(from)) checker.receive(packet, { from, reply });
  });
  return createBirthday({
    ...{ peerId: HARD, wireguardPort: 51_820, udp: nat, clock, random: createRandom(), checker },
    ...{ birthdays: createBirthdays(), onTurn: () => onEasyTurn() },
    probe(packet, to) {
      guesses.push(to);
      sentTo.add(to);
      socket.send(packet, to);
    },
    addLane: async () => undefined,
    dropLane: () => undefined,
    onLane: () => undefined,
  });
}

function createTestChecker(machineId: typeof HARD): Checker {
  return createChecker({
    ...{
      machineId,
      clock,
      randomBytes,
      log: silentLogger,
      keys: { of: async () => [KEY], noteUsed: async () => undefined },
      isReady: () => true,
    },
    onAnswered: (_, answer) => answers.push(answer),
    onChecked: () => undefined,
  });
}

describe("a birthday punch", () => {
  it("finds the way through a hard NAT, and makes a lane of the socket that was hit", async () => {
    openPorts();
    guessPorts();
    await clock.advance(10_500);
    expect(lanes).toEqual([{ wireguardPort: 51_820, localPort: [...open][0], remote: EASY_ENDPOINT }]);
    expect(reached).toEqual([EASY_ENDPOINT]);
    expect(answers[0]?.endpoint).toMatch(new RegExp(`^${nat.publicAddress}:`));
    expect(answers[0]?.mapped).toBe(EASY_ENDPOINT);
  });

  it("keeps the socket of the lane, so that nobody else gets its port, and closes the others", async () => {
    openPorts();
    await clock.advance(100);
    expect(open.size).toBe(256);
    guessPorts();
    await clock.advance(10_500);
    expect([...open]).toEqual([lanes[0]?.localPort]);
    hard.end();
    expect(open.size).toBe(1);
    hard.stop();
    expect([open.size, lanes.length]).toEqual([0, 1]);
  });

  it("leaves nothing of a peer that is one no more", async () => {
    openPorts();
    guessPorts();
    await clock.advance(10_500);
    hard.leave();
    expect([open.size, lanes]).toEqual([0, []]);
  });

  it("leaves the lane of the time before when another is found", async () => {
    openPorts();
    guessPorts();
    await clock.advance(10_500);
    const [first] = lanes;
    openPorts();
    guessPorts();
    await clock.advance(10_500);
    expect(lanes).toHaveLength(1);
    expect(lanes[0]?.localPort).not.toBe(first?.localPort);
    expect([...open]).toEqual([lanes[0]?.localPort]);
  });
});

describe("birthday punches of a machine", () => {
  it("are one at a time: 256 ports in all, and the next one's turn when they are closed", async () => {
    const others = [3, 4, 5].map((number) => {
      const other: Birthday = createBirthday({
        ...{ peerId: testMachineId(number), wireguardPort: 51_820, udp: countingUdp(), clock, random: createRandom() },
        ...{ checker: createTestChecker(HARD), probe: () => undefined, addLane: async () => undefined, birthdays },
        onTurn: () => other.openPorts(`203.0.113.${number}:51820` as Endpoint),
        ...{ dropLane: () => undefined, onLane: () => undefined },
      });
      return other;
    });
    for (const other of others) other.ask();
    openPorts();
    for (const _ of others) {
      await clock.advance(1_000);
      expect(open.size).toBe(256);
      await clock.advance(19_000);
    }
    guessPorts();
    await clock.advance(10_500);
    expect(lanes).toHaveLength(1);
    expect([...open]).toEqual([lanes[0]?.localPort]);
  });
});

describe("a birthday punch is polite", () => {
  it("opens 256 ports, for 20 s", async () => {
    openPorts();
    await clock.advance(19_000);
    expect(open.size).toBe(256);
    await clock.advance(1_000);
    expect([open.size, clock.pending()]).toEqual([0, 0]);
  });

  it("guesses 200 ports a second, 2,048 in all, none twice", async () => {
    guessPorts();
    await clock.advance(1_000);
    expect(guesses.length).toBeGreaterThan(190);
    expect(guesses.length).toBeLessThan(211);
    await clock.advance(60_000);
    expect([guesses.length, new Set(guesses).size, clock.pending()]).toEqual([2_048, 2_048, 0]);
  });

  it("ends when it is told to, also while it opens its ports", async () => {
    openPorts();
    guessPorts();
    await clock.advance(0);
    hard.end();
    easy.end();
    const { length } = guesses;
    await clock.advance(60_000);
    expect([open.size, clock.pending(), lanes]).toEqual([0, 0, []]);
    expect(guesses.length - length).toBeLessThanOrEqual(5);
  });

  it("begins anew without a trace of the time before", async () => {
    openPorts();
    await clock.advance(100);
    hard.end();
    openPorts("203.0.113.3:51820" as Endpoint);
    await clock.advance(1_000);
    expect(open.size).toBe(256);
  });

  it("gives up when the system has no more sockets", async () => {
    const failing: UdpSockets = {
      open: async () => {
        if (open.size >= 10) throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
        const socket = await nat.open({});
        open.add(socket.port);
        return { ...socket, close: () => open.delete(socket.port) };
      },
    };
    const poor = createBirthday({
      ...{ peerId: EASY, wireguardPort: 51_820, udp: failing, clock, random: createRandom() },
      ...{ checker: createTestChecker(HARD), probe: () => undefined, addLane: async () => undefined },
      ...{ dropLane: () => undefined, onLane: () => undefined, birthdays, onTurn: () => poor.openPorts(EASY_ENDPOINT) },
    });
    poor.ask();
    await clock.advance(1_000);
    expect([open.size, clock.pending()]).toEqual([0, 0]);
  });
});

describe("the ports that are guessed", () => {
  it("are ports that a NAT gives out, in random order, none twice", () => {
    const ports = pickPorts(2_048, createRandom());
    expect(new Set(ports).size).toBe(2_048);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(1_024);
    expect(Math.max(...ports)).toBeLessThanOrEqual(65_535);
    expect(ports).not.toEqual([...ports].sort((a, b) => a - b));
  });

  it("are all of them when all are asked for", () => {
    const all = pickPorts(64_512, createRandom());
    expect([new Set(all).size, parseEndpoint(`192.0.2.1:${Math.max(...all)}`)?.port]).toEqual([64_512, 65_535]);
  });
});
