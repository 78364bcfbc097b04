import { describe, expect, test } from "vitest";
import {
  answered,
  candidate,
  EASY_CANDIDATES,
  endpoint,
  NATS,
  RELAY_READY,
  STUN_ENDPOINT,
  setUpPath,
  TRAFFIC,
  toLocal,
  toPeer,
  typesOf,
} from "./testing/path-fixture.ts";

const checksTo = (path: ReturnType<typeof setUpPath>) =>
  path.actions.flatMap((action) => (action.type === "send_checks" ? [action.endpoints] : []));

describe("a pair of a small mesh", () => {
  test("begins to check every candidate at once, densely, and asks the peer a moment later", () => {
    const path = setUpPath();
    expect(typesOf(path.actions)).toEqual(["refresh_stun", "send_checks"]);
    path.until(199);
    expect(checksTo(path)).toHaveLength(3);
    expect(path.count("request_punch")).toBe(0);
    path.until(200);
    expect(path.actions.at(-1)).toEqual({ type: "request_punch", kind: "checks" });
    path.until(2_999);
    expect(checksTo(path)).toHaveLength(9);
    expect(checksTo(path).every((endpoints) => endpoints.length === 2)).toBe(true);
  });

  test("asks nobody when an answer comes first", () => {
    const path = setUpPath();
    path.at(45, answered(STUN_ENDPOINT));
    path.until(10_000);
    expect(path.count("request_punch")).toBe(0);
    expect(path.state().path).toEqual({ kind: "direct", endpoint: STUN_ENDPOINT, isProved: true });
    expect(path.count("request_relay")).toBe(0);
  });

  test("costs nothing once it is direct and idle", () => {
    const path = setUpPath();
    path.at(45, answered(STUN_ENDPOINT));
    path.until(3_100);
    expect(path.until(86_400_000)).toEqual([]);
  });

  test("opens a relay when checks ended without an answer, and goes on trying within 60 s without asking", () => {
    const path = setUpPath();
    path.until(2_999);
    expect(path.count("request_relay")).toBe(0);
    path.until(3_000);
    expect(path.count("request_relay")).toBe(1);
    path.at(3_100, { type: "relay_opened" });
    path.at(3_300, RELAY_READY);
    expect(path.state().path.kind).toBe("relayed");
    path.until(150_000);
    const punches = path.count("request_punch");
    const rounds = path.count("refresh_stun");
    const hour = path.until(3_600_000 + 150_000);
    expect(hour.filter(({ type }) => type === "refresh_stun")).toHaveLength(60);
    expect([punches, path.count("request_punch")]).toEqual([3, 3]);
    expect(rounds).toBeGreaterThanOrEqual(5);
    expect(path.count("request_relay")).toBe(1);
  });

  test("opens the relay because of the first packet, before checks ended, and leaves it for a proved path", () => {
    const path = setUpPath();
    expect(typesOf(path.at(100, { type: "loopback_packet" }))).toEqual(["request_relay"]);
    path.at(150, { type: "relay_opened" });
    path.at(350, RELAY_READY);
    expect(path.state().path.kind).toBe("relayed");
    const before = path.state().version;
    path.answerFrom(STUN_ENDPOINT);
    path.at(500, answered(STUN_ENDPOINT));
    expect(path.state()).toMatchObject({ path: { kind: "direct" }, version: before + 1, relay: { kind: "ready" } });
    path.until(10_499);
    expect(path.count("close_relay")).toBe(0);
    path.until(10_500);
    expect(path.count("close_relay")).toBe(1);
    const reports = path.actions.flatMap((action) => (action.type === "report" ? [action.kind] : []));
    expect(reports).toEqual(["up", "path_changed"]);
  });

  test("takes what WireGuard has already, and replaces it only when it does not answer", () => {
    const old = endpoint("203.0.113.9:4000");
    const path = setUpPath({ path: { kind: "direct", endpoint: old, isProved: false } });
    expect(path.actions.some((action) => action.type === "send_checks" && action.endpoints.includes(old))).toBe(true);
    path.at(20, answered(STUN_ENDPOINT));
    expect(path.state()).toMatchObject({ path: { endpoint: old }, version: 0 });
    path.at(30, answered(old));
    expect(path.state()).toMatchObject({ path: { endpoint: old, isProved: true }, version: 0 });

    const other = setUpPath({ path: { kind: "direct", endpoint: old, isProved: false } });
    other.at(320, answered(STUN_ENDPOINT));
    expect(other.state().path).toMatchObject({ endpoint: STUN_ENDPOINT, isProved: true });
  });

  test("tries a candidate that is new although a path works, and takes it only when it is clearly better", () => {
    const path = setUpPath();
    path.at(45, answered(STUN_ENDPOINT));
    path.until(5_000);
    const lan = candidate("host", "10.0.0.2:51820");
    const peer = toPeer({ candidates: [...EASY_CANDIDATES, lan] });
    path.at(6_000, { type: "facts", peer, local: path.state().local, isEager: true });
    expect(path.count("refresh_stun")).toBe(2);
    path.at(6_010, answered(lan.endpoint, 1));
    expect(path.state().path).toMatchObject({ endpoint: lan.endpoint });
    path.until(20_000);
    expect(path.count("request_punch")).toBe(0);
  });

  test("stays with one of two alike, whichever is a little faster", () => {
    const path = setUpPath({
      peer: { candidates: [candidate("stun", "198.51.100.2:1"), candidate("stun", "198.51.100.3:1")] },
    });
    path.at(45, answered(endpoint("198.51.100.2:1"), 20));
    path.at(46, answered(endpoint("198.51.100.3:1"), 17));
    expect(path.state().path).toMatchObject({ endpoint: "198.51.100.2:1" });
    path.at(160, answered(endpoint("198.51.100.3:1"), 2));
    path.at(310, answered(endpoint("198.51.100.3:1"), 2));
    expect(path.state().path).toMatchObject({ endpoint: "198.51.100.2:1" });
  });

  test("begins anew at once when the network is another", () => {
    const path = setUpPath();
    path.until(60_000);
    path.at(60_000, { type: "network_changed" });
    expect(path.state().round).toMatchObject({ startedAtMs: path.nowMs() });
    expect(path.state().roundsFailed).toBe(0);
  });

  test("renews a relay whose connection was made on the network before", () => {
    const path = setUpPath({ local: { nat: NATS.here.hard }, peer: { nat: NATS.there.hard } });
    path.at(100, { type: "loopback_packet" });
    path.at(150, { type: "relay_opened" });
    path.at(350, RELAY_READY);
    path.at(20_000, TRAFFIC);
    const actions = path.at(20_500, { type: "network_changed" });
    expect(typesOf(actions).filter((type) => type.includes("relay"))).toEqual(["close_relay", "request_relay"]);
    expect(path.state().path.kind).toBe("none");
  });

  test("does not collect the ports of a peer behind a hard NAT", () => {
    const path = setUpPath();
    for (let port = 1; port <= 500; port++) {
      path.at(1_000 + port, { type: "check_received", endpoint: endpoint(`198.51.100.2:${port}`), isNominated: false });
    }
    expect(path.state().tries.size).toBeLessThanOrEqual(32);
  });
});

describe("a peer that asks for checks", () => {
  const PUNCH = { type: "punch_requested", kind: "checks" } as const;

  test("makes a round begin anew, so that both sides send at the same moment", () => {
    const path = setUpPath();
    path.until(1_000);
    const before = path.count("send_checks");
    path.at(1_000, PUNCH);
    path.until(1_300);
    expect(path.count("send_checks") - before).toBe(4);
  });

  test("again and again does so once in a round", () => {
    const path = setUpPath();
    for (let time = 0; time < 60_000; time += 50) path.at(time, PUNCH);
    // A round takes three seconds and may be restarted once, at any moment of it.
    expect(path.count("send_checks")).toBeLessThanOrEqual((60_000 / 3_000) * 9 + 9);
  });
});

describe("a pair of a large mesh", () => {
  const lazy = { isEager: false };

  test("does nothing before the first packet", () => {
    const path = setUpPath(lazy);
    expect(path.until(86_400_000)).toEqual([]);
    expect(path.state().path.kind).toBe("none");
  });

  test("asks for relay and punch at once with the first packet, because the peer sleeps too", () => {
    const path = setUpPath(lazy);
    const actions = path.at(1_000, { type: "loopback_packet" });
    expect(typesOf(actions)).toEqual(["refresh_stun", "request_punch", "send_checks", "request_relay"]);
  });

  test("is forgotten after five minutes without use, where a NAT would forget it too", () => {
    const path = setUpPath(lazy);
    path.at(1_000, { type: "loopback_packet" });
    path.answerFrom(STUN_ENDPOINT);
    path.at(1_050, answered(STUN_ENDPOINT));
    path.at(1_060, { type: "relay_opened" });
    path.at(2_000, TRAFFIC);
    for (let time = 25_000; time < 290_000; time += 25_000) {
      path.at(time, { type: "traffic", isSent: true, isReceived: false, isUpkeep: true });
    }
    path.until(301_999);
    expect(path.state().path.kind).toBe("direct");
    path.until(302_000);
    expect(path.state()).toMatchObject({ path: { kind: "none" }, relay: { kind: "closed" } });
    expect(path.until(86_400_000)).toEqual([]);
  });

  test("keeps a path on its own network, which nobody forgets", () => {
    const path = setUpPath({ ...lazy, peer: { candidates: [candidate("host", "10.0.0.2:51820")] } });
    path.at(1_000, { type: "loopback_packet" });
    path.at(1_010, answered(endpoint("10.0.0.2:51820"), 1));
    path.until(3_600_000);
    expect(path.state().path.kind).toBe("direct");
  });

  test("comes to a relay that the peer opened, though it has nothing to send itself, and lets go when nothing comes", () => {
    const path = setUpPath(lazy);
    path.at(1_000, { type: "relay_opened" });
    path.at(1_200, RELAY_READY);
    expect(path.state().path.kind).toBe("relayed");
    path.until(30_999);
    expect(path.count("close_relay")).toBe(0);
    path.until(31_000);
    expect(path.state()).toMatchObject({ path: { kind: "none" }, relay: { kind: "closed" } });
  });

  test("checks back when the peer asks, and does not keep itself awake by it", () => {
    const path = setUpPath({ ...lazy, peer: { candidates: [candidate("stun", STUN_ENDPOINT)] } });
    path.at(1_000, { type: "punch_requested", kind: "checks" });
    expect(path.count("send_checks")).toBe(1);
    path.until(86_400_000);
    expect(path.count("request_punch")).toBe(0);
    expect(path.count("request_relay")).toBe(0);
    expect(path.count("refresh_stun")).toBeLessThanOrEqual(3);
  });
});

describe("a hard NAT", () => {
  test("on both sides: the relay at once, and no second round before something changes", () => {
    const path = setUpPath({ local: { nat: NATS.here.hard }, peer: { nat: NATS.there.hard } });
    expect(path.count("request_relay")).toBe(1);
    path.until(3_000);
    expect(path.until(86_400_000).filter(({ type }) => type === "send_checks")).toEqual([]);
    path.at(86_400_000, { type: "network_changed" });
    expect(path.state().round).not.toBeNull();
  });

  test("on both sides is no obstacle on one LAN, over IPv6 or to a mapped port", () => {
    const hard = { nat: NATS.there.hard };
    const lan = setUpPath({
      local: { nat: NATS.here.hard },
      peer: { ...hard, candidates: [candidate("host", "10.0.0.2:1")] },
    });
    const ipv6 = setUpPath({
      addresses: ["10.0.0.1", "2001:db8:1::1"],
      local: { nat: NATS.here.hard },
      peer: { ...hard, candidates: [candidate("host", "[2001:db8:2::1]:51820")] },
    });
    const mapped = setUpPath({
      local: { nat: NATS.here.hard },
      peer: { ...hard, candidates: [candidate("port_mapped", "198.51.100.2:9")] },
    });
    for (const path of [lan, ipv6, mapped]) {
      expect(path.count("request_relay")).toBe(0);
      path.until(200_000);
      expect(path.count("refresh_stun")).toBeGreaterThan(3);
    }
  });
});

describe("UDP that is blocked", () => {
  test("needs no round to end before the relay, and is looked at every ten minutes", () => {
    const path = setUpPath({ local: { nat: NATS.here.blocked } });
    expect(path.count("request_relay")).toBe(1);
    path.at(50, { type: "relay_opened" });
    path.at(250, RELAY_READY);
    path.until(3_600_000);
    expect(path.count("refresh_stun")).toBe(6);
    expect(path.count("request_relay")).toBe(1);
    path.at(3_600_000, { type: "facts", peer: toPeer(), local: toLocal(), isEager: true });
    expect(path.state().round).not.toBeNull();
  });
});

describe("use of a path", () => {
  test("is checked every 1.5 s while there is some, and not at all without", () => {
    const path = setUpPath();
    path.answerFrom(STUN_ENDPOINT);
    path.until(4_000);
    const before = path.count("send_checks");
    for (let time = 10_000; time <= 20_000; time += 1_000) {
      path.at(time, TRAFFIC);
    }
    const during = path.count("send_checks") - before;
    expect(during).toBeGreaterThanOrEqual(6);
    expect(during).toBeLessThanOrEqual(9);
    path.until(25_000);
    const after = path.count("send_checks");
    path.until(3_600_000);
    expect(path.count("send_checks")).toBe(after);
  });

  test("an unanswered handshake counts as use after a moment, one that is answered does not", () => {
    const path = setUpPath();
    path.at(45, answered(STUN_ENDPOINT));
    path.until(10_000);
    const asking = { type: "traffic", isSent: true, isReceived: false, isUpkeep: true, isAsking: true } as const;
    path.at(10_000, asking);
    path.at(11_000, { type: "traffic", isSent: false, isReceived: true, isUpkeep: true });
    path.until(20_000);
    expect(path.state().lastUseMs).toBeNull();
    path.at(30_000, asking);
    path.until(31_500);
    expect(path.state().lastUseMs).toBe(path.nowMs());
    path.at(35_000, asking);
    expect(path.state().lastUseMs).toBe(path.nowMs());
  });
});
