import { describe, expect, test } from "vitest";
import {
  answered,
  candidate,
  endpoint,
  NATS,
  type PathOptions,
  RELAY_READY,
  STUN_ENDPOINT,
  setUpPath,
  TRAFFIC,
  TURN,
  toLocal,
  toPeer,
  typesOf,
} from "./testing/path-fixture.ts";

const OPENED = { type: "punch_requested", kind: "birthday" } as const;
const FOUND = endpoint("198.51.100.2:33333");

/** This machine is behind the hard NAT. */
const setUpHard = (options: PathOptions = {}) => setUpPath({ local: { nat: NATS.here.hard }, ...options });
/** The other one is. */
const setUpEasy = (options: PathOptions = {}) =>
  setUpPath({ peer: { nat: NATS.there.hard, candidates: [candidate("host", "10.9.0.2:51820")] }, ...options });

describe("behind the hard NAT", () => {
  test("a turn is asked for when ordinary checks had theirs, and in it ports are opened and the peer is told", () => {
    const path = setUpHard();
    path.until(249);
    expect(path.count("ask_turn")).toBe(0);
    expect(path.until(250)).toEqual([{ type: "ask_turn" }]);
    path.until(5_000);
    expect(path.count("open_ports")).toBe(0);
    expect(path.at(5_000, TURN)).toEqual([
      { type: "open_ports", remote: STUN_ENDPOINT },
      { type: "request_punch", kind: "birthday" },
    ]);
  });

  test("it is done every ten minutes, counted from when it began, and at once on another network", () => {
    const path = setUpHard({ hasTurns: true });
    path.until(600_000);
    expect(path.count("open_ports")).toBe(1);
    path.until(670_000);
    expect(path.count("open_ports")).toBe(2);
    expect(typesOf(path.at(700_000, { type: "network_changed" }))).toContain("end_birthday");
    path.until(700_300);
    expect(path.count("open_ports")).toBe(3);
  });

  test("what was opened while the peer was away does not count when it comes back", () => {
    const path = setUpHard({ hasTurns: true });
    path.until(3_100);
    path.at(3_100, { type: "relay_ended", code: "peer_offline", message: "" });
    path.until(60_000);
    expect(path.count("open_ports")).toBe(1);
    path.at(60_000, { type: "punch_requested", kind: "checks" });
    path.until(61_000);
    expect(path.count("open_ports")).toBe(2);
  });

  test("a turn that was given back, because nobody could be told, is asked for again within a second", () => {
    const path = setUpHard();
    path.until(250);
    expect(path.until(1_200).filter(({ type }) => type === "ask_turn").length).toBeGreaterThan(2);
    path.at(1_201, TURN);
    expect(path.until(3_000).filter(({ type }) => type === "ask_turn")).toEqual([]);
  });

  test("a turn that comes late is given back when it is not needed any more", () => {
    const direct = setUpHard();
    direct.at(300, answered(FOUND));
    expect(direct.at(400, TURN)).toEqual([]);
    const changed = setUpHard();
    changed.until(300);
    changed.at(400, { type: "facts", peer: toPeer(), local: toLocal(), isEager: true });
    expect(typesOf(changed.at(500, TURN))).not.toContain("open_ports");
  });

  test("ports are opened towards no address but a public one outside of our tunnels", () => {
    for (const told of ["10.9.0.2:51820", "127.0.0.1:53", "239.1.1.1:1900", "240.0.0.1:1"]) {
      const path = setUpHard({ hasTurns: true, peer: { candidates: [candidate("stun", told)] } });
      path.until(1_000);
      expect(path.count("open_ports"), told).toBe(0);
    }
  });

  test("nothing needs to be guessed where the other side lets everybody in", () => {
    const path = setUpHard({ hasTurns: true, peer: { nat: NATS.there.none } });
    path.until(5_000);
    expect(path.count("open_ports")).toBe(0);
  });

  test("a peer that says that its ports are open is not guessed at: it has no hard NAT", () => {
    const path = setUpHard({ hasTurns: true });
    path.until(1_000);
    path.at(60_000, OPENED);
    expect([path.count("open_ports"), path.count("guess_ports")]).toEqual([1, 0]);
  });
});

describe("on the other side", () => {
  test("ports are guessed when the peer has opened them, not before", () => {
    const path = setUpEasy({ hasTurns: true });
    path.until(20_000);
    expect(path.count("ask_turn")).toBe(0);
    path.at(20_000, OPENED);
    expect(path.until(20_001)).toEqual([{ type: "guess_ports", address: "198.51.100.2" }]);
  });

  test("a turn that comes when they are closing is given back, and costs nothing", () => {
    const path = setUpEasy();
    path.at(1_000, OPENED);
    expect(path.at(11_000, TURN)).toEqual([]);
    path.at(60_000, OPENED);
    expect(typesOf(path.at(60_001, TURN))).toEqual(["guess_ports"]);
  });

  test("whoever asks for it more often than every ten minutes asks in vain", () => {
    const path = setUpEasy({ hasTurns: true });
    for (let time = 1_000; time < 580_000; time += 5_000) {
      path.at(time, OPENED);
      // Nor by going away and coming back.
      path.at(time + 1_000, { type: "relay_ended", code: "peer_offline", message: "" });
    }
    path.until(580_000);
    expect(path.count("guess_ports")).toBe(1);
  });

  test("a peer that opens its ports every ten minutes is met, though this side began later", () => {
    const path = setUpEasy();
    path.at(1_000, OPENED);
    path.at(10_900, TURN);
    path.at(601_000, OPENED);
    expect(typesOf(path.at(601_001, TURN))).toEqual(["guess_ports"]);
  });

  test("the end of a path is noticed later than at the peer: its ports are guessed all the same", () => {
    const path = setUpEasy({ hasTurns: true });
    path.at(500, answered(FOUND));
    path.at(20_000, TRAFFIC);
    path.at(20_100, { type: "relay_opened" });
    path.at(20_300, RELAY_READY);
    path.at(21_500, OPENED);
    expect([path.state().path.kind, path.count("guess_ports")]).toEqual(["direct", 0]);
    for (let time = 21_600; time < 24_500; time += 100) {
      path.at(time, { type: "loopback_packet" });
      path.at(time, { type: "relay_packet" });
    }
    path.until(25_000);
    expect([path.state().path.kind, path.count("guess_ports")]).toEqual(["relayed", 1]);
  });

  test("ports are guessed at no address but a public one outside of our tunnels", () => {
    const nats = ["10.0.0.2", "127.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "100.64.0.1", "169.254.1.1"];
    for (const publicAddress of nats) {
      const nat = { ...NATS.there.hard, publicAddress: publicAddress as "" as never };
      const path = setUpEasy({ hasTurns: true, peer: { nat } });
      path.at(1_000, OPENED);
      path.until(2_000);
      expect(path.count("guess_ports"), publicAddress).toBe(0);
    }
  });

  test("guessing ends with the first answer, also one from a port that nobody told", () => {
    const path = setUpEasy({ hasTurns: true });
    path.at(300, OPENED);
    const actions = path.at(700, answered(FOUND));
    expect(typesOf(actions)).toContain("end_birthday");
    expect(path.state().path).toMatchObject({ endpoint: FOUND });
  });
});

describe("a path that was found so and dies", () => {
  test.each([
    ["behind the hard NAT", setUpHard, "open_ports"],
    ["on the other side", setUpEasy, "guess_ports"],
  ] as const)("is worth another search %s, 30 s after the one before", (_, setUp, type) => {
    const path = setUp({ hasTurns: true });
    path.at(300, OPENED);
    path.until(400);
    expect(path.count(type)).toBe(1);
    path.at(700, answered(FOUND));
    path.at(710, { type: "relay_opened" });
    path.at(720, RELAY_READY);
    for (let time = 800; time < 60_000; time += 500) {
      path.at(time, { type: "loopback_packet" });
      path.at(time, { type: "relay_packet" });
      if (time % 10_000 === 300) path.at(time, OPENED);
    }
    path.until(60_000);
    expect([path.state().path.kind, path.count(type)]).toEqual(["relayed", 2]);
  });
});
