import { describe, expect, test } from "vitest";
import {
  candidate,
  endpoint,
  NATS,
  type PathFixture,
  RELAY_READY,
  SENT,
  STUN_ENDPOINT,
  setUpPath,
  TRAFFIC,
  toLocal,
  toPeer,
} from "./testing/path-fixture.ts";

const HARD = { local: { nat: NATS.here.hard }, peer: { nat: NATS.there.hard } } as const;
const refusal = (code: string) => ({ type: "relay_ended", code, message: `refused: ${code}` }) as const;

/** Answers each request with a refusal, and counts them over a time. */
function countRefused(path: PathFixture, code: string, fromMs: number, toMs: number, isUsed = false): number {
  const before = path.count("request_relay");
  for (let time = fromMs; time < toMs; time += 1_000) {
    path.at(time, isUsed ? SENT : { type: "tick" });
    if (path.state().relay.kind === "wanted") path.at(time + 100, refusal(code));
  }
  return path.count("request_relay") - before;
}

describe("a relay that can't be had", () => {
  test("is asked for every 5 s while packets wait", () => {
    const path = setUpPath(HARD);
    const count = countRefused(path, "network", 1_000, 121_000, true);
    expect(count).toBeGreaterThanOrEqual(20);
    expect(count).toBeLessThanOrEqual(25);
  });

  test("costs an idle pair about ten requests in a day", () => {
    const path = setUpPath(HARD);
    expect(countRefused(path, "network", 1_000, 86_400_000)).toBeLessThanOrEqual(12);
    expect(countRefused(path, "network", 86_401_000, 2 * 86_400_000)).toBeLessThanOrEqual(7);
  });

  test("because the peer is offline: every minute while packets wait, once where none do", () => {
    const used = setUpPath(HARD);
    const count = countRefused(used, "peer_offline", 1_000, 601_000, true);
    expect(count).toBeGreaterThanOrEqual(9);
    expect(count).toBeLessThanOrEqual(11);
    const idle = setUpPath(HARD);
    idle.at(100, refusal("peer_offline"));
    expect(countRefused(idle, "peer_offline", 1_000, 86_400_000)).toBe(0);
  });

  test("is asked for at once when the offline peer gives a sign of life", () => {
    const path = setUpPath(HARD);
    path.at(100, refusal("peer_offline"));
    path.at(1_000, SENT);
    path.at(1_100, refusal("peer_offline"));
    path.at(2_000, { type: "check_received", endpoint: STUN_ENDPOINT, isNominated: false });
    expect(path.state().relay.kind).toBe("wanted");
  });

  test("is asked for again every 5 s when nobody answers", () => {
    const path = setUpPath(HARD);
    for (let time = 0; time <= 60_000; time += 1_000) path.at(time, SENT);
    expect(path.count("request_relay")).toBeGreaterThanOrEqual(11);
    expect(path.count("request_relay")).toBeLessThanOrEqual(13);
  });

  test("does not send an offline peer punches", () => {
    const path = setUpPath();
    path.at(100, refusal("peer_offline"));
    path.until(86_400_000);
    expect(path.count("request_punch")).toBe(0);
    expect(path.count("request_relay")).toBe(0);
  });

  test("stays what it is when a refusal comes for a request that is out of date", () => {
    const path = setUpPath(HARD);
    path.at(100, RELAY_READY);
    path.at(200, refusal("rate_limited"));
    expect(path.state()).toMatchObject({ path: { kind: "relayed" }, relay: { kind: "ready" } });
  });
});

describe("a relay that is there", () => {
  test("costs an idle pair nothing", () => {
    const path = setUpPath(HARD);
    path.at(100, { type: "relay_opened" });
    path.at(300, RELAY_READY);
    path.until(3_100);
    expect(path.until(86_400_000)).toEqual([]);
  });

  test("is asked for again half a second after it broke", () => {
    const path = setUpPath(HARD);
    path.at(300, RELAY_READY);
    path.at(30_000, TRAFFIC);
    path.at(30_100, { type: "relay_ended", code: "network", message: "no answer to a ping" });
    expect(path.state().path.kind).toBe("none");
    path.until(30_600);
    expect(path.state().relay.kind).toBe("wanted");
  });

  test("has the peer invited again when it does not come, sooner when it was there and left", () => {
    const path = setUpPath(HARD);
    path.at(100, { type: "relay_opened" });
    for (let time = 1_000; time <= 4_000; time += 1_000) path.at(time, SENT);
    path.until(4_600);
    expect(path.count("request_relay")).toBe(2);
    path.at(4_700, { type: "relay_opened" });
    path.at(4_900, RELAY_READY);
    path.at(30_000, SENT);
    path.at(30_100, { type: "relay_peer", isPresent: false });
    expect(path.state().path.kind).toBe("none");
    path.until(31_099);
    expect(path.state().relay.kind).toBe("open");
    path.until(31_600);
    expect(path.count("request_relay")).toBe(3);
  });

  test("waits for an absent peer without asking while nobody has anything to send", () => {
    const path = setUpPath(HARD);
    path.at(100, { type: "relay_opened" });
    path.until(3_100);
    expect(path.until(86_400_000)).toEqual([]);
  });

  test("is made anew when packets go in and nothing comes out", () => {
    const path = setUpPath(HARD);
    path.at(300, RELAY_READY);
    for (let time = 1_000; time <= 16_000; time += 1_000) path.at(time, SENT);
    expect(path.count("close_relay")).toBe(1);
    path.until(16_600);
    expect(path.count("request_relay")).toBe(2);
  });

  test("stays after an upgrade for as long as the peer still sends through it", () => {
    const path = setUpPath();
    path.answerFrom(STUN_ENDPOINT);
    path.at(100, { type: "loopback_packet" });
    path.at(300, RELAY_READY);
    for (let time = 1_000; time <= 30_000; time += 1_000) {
      path.at(time, TRAFFIC);
      if (time <= 15_000) path.at(time, { type: "relay_packet" });
    }
    expect(path.state().path.kind).toBe("direct");
    const closedAt = path.actions.findIndex(({ type }) => type === "close_relay");
    expect(closedAt).toBeGreaterThan(-1);
    expect(path.state().lastRelayRxMs).toBe(path.nowMs() - 15_000);
  });

  test("closes where the mesh does not allow relays any more", () => {
    const path = setUpPath(HARD);
    path.at(300, RELAY_READY);
    const local = toLocal({ ...HARD.local, fallback: "transit" });
    path.at(1_000, { type: "facts", peer: toPeer(HARD.peer), local, isEager: true });
    expect(path.state()).toMatchObject({ path: { kind: "none" }, relay: { kind: "closed" } });
    path.at(2_000, SENT);
    expect(path.count("request_relay")).toBe(1);
  });
});

describe("where checks can't be made", () => {
  const LAN = { peer: { candidates: [candidate("host", "10.0.0.2:51820")], answersChecks: false } };

  test("a neighbour's address is tried as it is, and WireGuard's answer keeps it", () => {
    const path = setUpPath(LAN);
    expect(path.state().path).toEqual({ kind: "direct", endpoint: "10.0.0.2:51820", isProved: false });
    path.at(900, TRAFFIC);
    for (let time = 1_000; time <= 60_000; time += 1_000) path.at(time, time % 10_000 === 0 ? TRAFFIC : SENT);
    expect(path.state().path.kind).toBe("direct");
    expect(path.actions.filter(({ type }) => type !== "report")).toEqual([]);
  });

  test("a guess that nothing ever comes from is left for the relay after 3 s, one that worked after 14 s", () => {
    for (const { heardAtMs, diesAtMs } of [
      { heardAtMs: null, diesAtMs: 4_000 },
      { heardAtMs: 900, diesAtMs: 15_000 },
    ]) {
      const path = setUpPath(LAN);
      if (heardAtMs !== null) path.at(heardAtMs, TRAFFIC);
      for (let time = 1_000; time < diesAtMs; time += 1_000) path.at(time, SENT);
      path.until(diesAtMs - 1_000);
      expect(path.state()).toMatchObject({ path: { kind: "direct" }, relay: { kind: "wanted" } });
      path.at(diesAtMs - 500, RELAY_READY);
      path.at(diesAtMs, SENT);
      expect(path.state().path.kind).toBe("relayed");
    }
  });

  test("a pair behind NATs opens a relay with the first packet, not before", () => {
    const path = setUpPath({ local: { canCheck: false } });
    expect(path.until(3_600_000)).toEqual([]);
    path.at(3_600_000, { type: "loopback_packet" });
    expect(path.actions).toEqual([{ type: "request_relay" }]);
  });

  test("checks begin when they can be made", () => {
    const path = setUpPath({ local: { canCheck: false } });
    path.at(1_000, { type: "facts", peer: toPeer(), local: toLocal(), isEager: true });
    expect(path.count("send_checks")).toBe(1);
  });

  test("the address of another network is no guess", () => {
    const path = setUpPath({ peer: { candidates: [candidate("host", "10.9.0.2:51820")], answersChecks: false } });
    expect(path.state().path.kind).toBe("none");
    expect(endpoint("10.9.0.2:51820")).toBeDefined();
  });
});
