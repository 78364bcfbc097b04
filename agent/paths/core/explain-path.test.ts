import { describe, expect, test } from "vitest";
import { CandidateOutcome, PathReason } from "#schema/path";
import { isInDoubt, toCandidateOutcomes, toConnectivity, toNextTryAt, toPathReason } from "./explain-path.ts";
import {
  answered,
  BEGINNING_MS,
  candidate,
  GATEWAY,
  NATS,
  type PathFixture,
  RELAY_READY,
  SENT,
  STUN_ENDPOINT,
  setUpPath,
  TRAFFIC,
} from "./testing/path-fixture.ts";

const reasonOf = (path: PathFixture) => {
  const { code, message } = PathReason.parse(toPathReason(path.state(), path.nowMs()));
  return `${code} | ${message}`;
};
const connectivityOf = (path: PathFixture) => toConnectivity(path.state(), path.nowMs());
const isDoubted = (path: PathFixture) => isInDoubt(path.state(), path.nowMs());
const nextOf = (path: PathFixture) => toNextTryAt(path.state(), path.nowMs(), (atMs) => atMs);

function openRelay(path: PathFixture, timeMs: number): void {
  path.at(timeMs, { type: "relay_opened" });
  path.at(timeMs, RELAY_READY);
}

describe("a reason", () => {
  test("direct: which endpoint answers, and how fast", () => {
    const path = setUpPath();
    path.at(45, answered(STUN_ENDPOINT, 23.4));
    expect(reasonOf(path)).toBe("direct | direct: 198.51.100.2:51820 answers checks in 23 ms");
    expect([connectivityOf(path), nextOf(path)]).toEqual(["up", null]);
  });

  test("direct, heard but not answered yet", () => {
    const path = setUpPath();
    path.at(45, { type: "roamed", endpoint: STUN_ENDPOINT });
    expect(reasonOf(path)).toBe(
      "direct | direct: packets come from 198.51.100.2:51820, which has not answered a check yet",
    );
  });

  test("direct without checks", () => {
    const path = setUpPath({ peer: { candidates: [candidate("host", "10.0.0.2:51820")], answersChecks: false } });
    expect(reasonOf(path)).toBe(
      "direct | direct: 10.0.0.2:51820 looks reachable; it can't be checked, because the other machine can't answer checks from WireGuard's port",
    );
  });

  test("checking, while the first round runs", () => {
    const path = setUpPath();
    openRelay(path, 50);
    expect(reasonOf(path)).toBe(
      "checking | relayed: 2 endpoints of the other machine are being checked; a direct path is being tried right now",
    );
  });

  test("no answer: how many were tried, both NATs, and when again", () => {
    const path = setUpPath();
    path.until(3_100);
    openRelay(path, 3_200);
    expect(reasonOf(path)).toBe(
      "no_answer | relayed: no answer from any of 2 endpoints of the other machine (here an easy NAT (endpoint-independent mapping), there an easy NAT (endpoint-independent mapping)); tried again in 4 s, and at once when a network changes",
    );
    expect(nextOf(path)).toBe(new Date(BEGINNING_MS + 7_000).toISOString());
  });

  test("hard NATs: both are named, and that only a change helps", () => {
    const path = setUpPath({ local: { nat: NATS.here.hard }, peer: { nat: NATS.there.hard } });
    path.until(3_100);
    openRelay(path, 3_200);
    expect(reasonOf(path)).toBe(
      "hard_nats | relayed: both machines are behind hard NATs, which give every destination another port (here a hard NAT (address-and-port-dependent mapping), there a hard NAT (address-and-port-dependent mapping)); tried again when a network changes",
    );
    expect([connectivityOf(path), nextOf(path)]).toEqual(["up", null]);
  });

  test("UDP blocked here, and there", () => {
    const here = setUpPath({ local: { nat: NATS.here.blocked } });
    const there = setUpPath({ peer: { nat: NATS.there.blocked } });
    for (const path of [here, there]) {
      openRelay(path, 100);
      path.until(3_100);
    }
    expect(reasonOf(here)).toBe(
      "udp_blocked_here | relayed: this machine's network lets no UDP through; tried again in 600 s, and at once when a network changes",
    );
    expect(reasonOf(there)).toMatch(/^udp_blocked_there \| relayed: the other machine's network lets no UDP through; /);
  });

  test("no candidates, and no family in common", () => {
    const none = setUpPath({ peer: { candidates: [], nat: null } });
    const ipv6 = setUpPath({ peer: { candidates: [candidate("host", "[2001:db8::2]:51820")] } });
    for (const path of [none, ipv6]) openRelay(path, 3_100);
    expect(reasonOf(none)).toMatch(
      /^no_candidates \| relayed: the other machine has not told any endpoint yet; tried again in 4 s/,
    );
    expect(reasonOf(ipv6)).toMatch(/^no_common_family \| relayed: the machines have no address family in common/);
  });

  test("checks unavailable, here or there", () => {
    const here = setUpPath({ local: { canCheck: false } });
    here.at(100, SENT);
    openRelay(here, 200);
    expect(reasonOf(here)).toBe(
      "checks_unavailable | relayed: a direct path can't be proved, because this machine can't send checks from WireGuard's port (nftables is missing or refuses); tried again when a network changes",
    );
    const there = setUpPath({ peer: { answersChecks: false } });
    there.at(100, SENT);
    openRelay(there, 200);
    expect(reasonOf(there)).toMatch(/because the other machine can't answer checks from WireGuard's port/);
  });

  test("idle: nothing was sent in a large mesh", () => {
    const path = setUpPath({ isEager: false });
    expect(reasonOf(path)).toBe(
      "idle | idle: nothing was sent lately, so nothing is kept open; the first packet opens a path",
    );
    expect([connectivityOf(path), nextOf(path)]).toEqual(["idle", null]);
  });

  test("peer offline", () => {
    const path = setUpPath();
    path.until(3_000);
    path.at(3_100, { type: "relay_ended", code: "peer_offline", message: "not connected" });
    expect(reasonOf(path)).toBe(
      "peer_offline | not connected: the other machine is not connected to the control plane, and answers no checks; tried again in 4 s, and at once when a network changes",
    );
    expect(connectivityOf(path)).toBe("down");
  });

  test("direct, in doubt: checks are not answered any more, before the path counts as dead", () => {
    const path = setUpPath();
    path.answerFrom(STUN_ENDPOINT);
    for (let time = 1_000; time <= 10_000; time += 1_000) path.at(time, TRAFFIC);
    path.answerFrom(null);
    expect(isDoubted(path)).toBe(false);
    for (let time = 10_500; time <= 12_500; time += 500) path.at(time, SENT);
    expect(isDoubted(path)).toBe(true);
    expect(reasonOf(path)).toMatch(
      /^direct \| direct, but in doubt: 198\.51\.100\.2:51820 has not answered the last \d+ checks, and nothing comes from it/,
    );
    path.at(12_600, TRAFFIC);
    expect(isDoubted(path)).toBe(false);
    expect(reasonOf(path)).toMatch(/^direct \| direct: 198\.51\.100\.2:51820 answers checks/);
  });

  test("path died: relayed since, or silent while there is no relay", () => {
    const path = setUpPath();
    path.answerFrom(STUN_ENDPOINT);
    for (let time = 1_000; time <= 10_000; time += 1_000) path.at(time, TRAFFIC);
    path.answerFrom(null);
    for (let time = 11_000; time <= 14_500; time += 500) path.at(time, SENT);
    expect(reasonOf(path)).toMatch(
      /^path_died \| direct, but silent: 198\.51\.100\.2:51820 answers neither checks nor packets/,
    );
    expect(connectivityOf(path)).toBe("down");
    expect(isDoubted(path)).toBe(true);
    openRelay(path, 14_600);
    path.at(15_000, SENT);
    expect(isDoubted(path)).toBe(false);
    expect(reasonOf(path)).toMatch(/^path_died \| relayed: the direct path stopped answering 1 s ago; /);
    path.until(120_000);
    expect(reasonOf(path)).toMatch(/^no_answer \|/);
  });

  test("relay unavailable: with what the relay or the control plane said", () => {
    const path = setUpPath();
    path.until(3_100);
    path.at(3_200, SENT);
    path.at(3_300, { type: "relay_ended", code: "rate_limited", message: "too many relays asked for" });
    expect(reasonOf(path)).toMatch(
      /^relay_unavailable \| no path: no direct path yet, and no relay: too many relays asked for; tried again in/,
    );
    expect(connectivityOf(path)).toBe("down");
  });

  test("transit chosen: through which gateway, and that it decrypts", () => {
    const path = setUpPath({ local: { fallback: "transit" } });
    path.until(3_100);
    path.at(3_200, { type: "gateways", gatewayIds: [GATEWAY] });
    path.at(3_300, { type: "transit_set", gatewayId: GATEWAY });
    expect(reasonOf(path)).toBe(
      `transit_chosen | transit: no direct path works, and the mesh sends such pairs through the gateway ${GATEWAY}, which decrypts; tried again in 4 s, and at once when a network changes`,
    );
    expect(connectivityOf(path)).toBe("up");
  });
});

describe("a pair without a path", () => {
  test("is connecting while its first round runs, and down when that found nothing", () => {
    const path = setUpPath();
    expect(connectivityOf(path)).toBe("connecting");
    path.at(3_100, { type: "relay_ended", code: "network", message: "" });
    expect(connectivityOf(path)).toBe("down");
    path.at(4_000, SENT);
    expect(connectivityOf(path)).toBe("connecting");
  });
});

describe("candidates", () => {
  const outcomesOf = (path: PathFixture) =>
    toCandidateOutcomes(path.state(), path.nowMs(), (atMs) => atMs).map((one) => {
      const { endpoint, outcome, roundTripMs } = CandidateOutcome.parse(one);
      return [endpoint, outcome, roundTripMs];
    });

  test("are checking, answered, without an answer, out of reach or untried", () => {
    const path = setUpPath({
      peer: {
        candidates: [
          candidate("host", "10.9.0.2:1"),
          candidate("stun", STUN_ENDPOINT),
          candidate("host", "[2001:db8::2]:1"),
        ],
      },
    });
    path.answerFrom(STUN_ENDPOINT);
    path.until(100);
    expect(outcomesOf(path)).toEqual([
      ["10.9.0.2:1", "checking", null],
      [STUN_ENDPOINT, "answered", 20],
      ["[2001:db8::2]:1", "unreachable", null],
    ]);
    path.until(3_500);
    expect(outcomesOf(path)).toEqual([
      ["10.9.0.2:1", "no_answer", null],
      [STUN_ENDPOINT, "answered", 20],
      ["[2001:db8::2]:1", "unreachable", null],
    ]);
    const lazy = setUpPath({ isEager: false });
    expect(outcomesOf(lazy).map(([, outcome]) => outcome)).toEqual(["untried", "untried"]);
  });
});
