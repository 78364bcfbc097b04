import { describe, expect, test } from "vitest";
import {
  answered,
  BEGINNING_MS,
  candidate,
  endpoint,
  type PathFixture,
  type PathOptions,
  RECEIVED,
  RELAY_READY,
  SENT,
  STUN_ENDPOINT,
  setUpPath,
  TRAFFIC,
  typesOf,
} from "./testing/path-fixture.ts";

const OTHER = endpoint("198.51.100.3:4000");
const TWO = [candidate("stun", STUN_ENDPOINT), candidate("stun", OTHER)];

/** Direct, with an answer to every check, and traffic both ways each second until 20 s. */
function setUpDirect(options: PathOptions = {}): PathFixture {
  const path = setUpPath(options);
  path.answerFrom(STUN_ENDPOINT);
  talk(path, 1_000, 20_000);
  path.actions.length = 0;
  return path;
}

function talk(path: PathFixture, fromMs: number, toMs: number, event = TRAFFIC): void {
  for (let time = fromMs; time <= toMs; time += 1_000) path.at(time, event);
}

/** The relay is there as soon as it is asked for. */
function serveRelay(path: PathFixture, timeMs: number): void {
  if (path.state().relay.kind !== "wanted") return;
  path.at(timeMs, { type: "relay_opened" });
  path.at(timeMs, RELAY_READY);
}

describe("a direct path that dies silently", () => {
  test("has its relay ready before it is given up, and is left within 6.5 s of traffic", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    let askedAtMs = 0;
    for (let time = 20_100; time <= 26_500 && path.state().path.kind === "direct"; time += 100) {
      path.at(time, time % 1_000 === 0 ? SENT : { type: "tick" });
      if (path.count("request_relay") === 1 && askedAtMs === 0) askedAtMs = time;
      if (askedAtMs !== 0 && time === askedAtMs + 300) serveRelay(path, time);
    }
    expect(askedAtMs - 20_000).toBeLessThanOrEqual(3_000);
    expect(path.state().path.kind).toBe("relayed");
    expect(path.state().sinceMs - (path.state().lastRxMs ?? 0)).toBeLessThanOrEqual(6_500);
  });

  test("stays while no relay can be had: there is nothing better", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    talk(path, 21_000, 60_000, SENT);
    expect(path.state().path).toMatchObject({ kind: "direct", endpoint: STUN_ENDPOINT });
    path.answerFrom(STUN_ENDPOINT);
    talk(path, 61_000, 70_000);
    expect(path.state()).toMatchObject({ path: { isProved: true }, missed: 0 });
  });

  test("is let go when WireGuard's session there has ended too, so that an idle pair asks for nothing any more", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    talk(path, 21_000, 210_000, SENT);
    expect(path.state().path.kind).toBe("none");
    expect(path.until(86_400_000).filter(({ type }) => type.startsWith("request_")).length).toBeLessThanOrEqual(10);
  });

  test("has to answer three times over a second before it is used again", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    path.at(21_000, SENT);
    path.until(22_900);
    serveRelay(path, 22_900);
    path.at(23_500, SENT);
    path.until(24_500);
    expect(path.state().path.kind).toBe("relayed");
    path.at(24_600, answered(STUN_ENDPOINT));
    path.at(24_700, answered(STUN_ENDPOINT));
    path.at(24_800, answered(STUN_ENDPOINT));
    expect(path.state().path.kind).toBe("relayed");
    path.at(25_600, answered(STUN_ENDPOINT));
    expect(path.state().path.kind).toBe("direct");
  });

  test("is written off to the loopback socket again a moment later, in case a late packet took WireGuard back", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    path.at(21_000, SENT);
    path.until(22_900);
    serveRelay(path, 22_900);
    path.at(23_500, SENT);
    while (path.state().path.kind === "direct") path.until(path.nowMs() - BEGINNING_MS + 10);
    const { version, sinceMs } = path.state();
    const diedAtMs = sinceMs - BEGINNING_MS;
    path.until(diedAtMs + 999);
    expect(path.state().version).toBe(version);
    path.until(diedAtMs + 1_000);
    expect(path.state().version).toBe(version + 1);
    path.until(diedAtMs + 2_500);
    expect(path.state().version).toBe(version + 2);
    path.until(diedAtMs + 60_000);
    expect(path.state().version).toBe(version + 2);
  });

  test("is found out by what the peer does: it sends through the relay, and our check is not answered", () => {
    const path = setUpDirect();
    path.until(60_000);
    path.answerFrom(null);
    path.at(60_000, { type: "relay_opened" });
    path.at(60_000, RELAY_READY);
    path.at(60_100, { type: "relay_packet" });
    path.at(60_600, { type: "relay_packet" });
    path.until(60_700);
    expect(path.state().path.kind).toBe("relayed");
  });

  test("is not given up because of what comes through the relay, as long as it answers", () => {
    const path = setUpDirect();
    path.at(60_000, { type: "relay_opened" });
    path.at(60_000, RELAY_READY);
    for (let time = 60_000; time < 70_000; time += 500) path.at(time, { type: "relay_packet" });
    expect(path.state().path.kind).toBe("direct");
  });
});

describe("a peer whose agent was stopped", () => {
  test("keeps its path, also with a relay at hand: bytes are received", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    path.at(20_100, { type: "relay_opened" });
    path.at(20_200, RELAY_READY);
    talk(path, 21_000, 120_000);
    expect(path.state().path).toMatchObject({ kind: "direct", endpoint: STUN_ENDPOINT });
  });

  test("keeps it with one-way traffic too, while its relay is not there", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    for (let time = 21_000; time <= 400_000; time += 1_000) path.at(time, time % 10_000 === 0 ? TRAFFIC : SENT);
    expect(path.state().path).toMatchObject({ kind: "direct", endpoint: STUN_ENDPOINT });
  });
});

describe("two paths that work", () => {
  test("the other side follows the one that chooses, once it has an answer from there", () => {
    const path = setUpDirect({ isControlling: false, peer: { candidates: TWO } });
    expect(typesOf(path.at(20_100, { type: "check_received", endpoint: OTHER, isNominated: true }))).toContain(
      "send_checks",
    );
    expect(path.state().path).toMatchObject({ endpoint: STUN_ENDPOINT });
    path.at(20_200, answered(OTHER));
    expect(path.state().path).toMatchObject({ endpoint: OTHER, isProved: true });
  });

  test("the side that chooses says so in checks to the path in use, and in no others", () => {
    const path = setUpPath({ peer: { candidates: TWO } });
    path.answerFrom(STUN_ENDPOINT);
    talk(path, 1_000, 5_000);
    const checks = path.actions.flatMap((action) => (action.type === "send_checks" ? [action] : []));
    const nominated = checks.filter(({ isNominated }) => isNominated);
    expect(nominated.length).toBeGreaterThan(2);
    expect(nominated.every(({ endpoints }) => endpoints.length === 1 && endpoints[0] === STUN_ENDPOINT)).toBe(true);

    const follower = setUpPath({ peer: { candidates: TWO }, isControlling: false });
    follower.answerFrom(STUN_ENDPOINT);
    talk(follower, 1_000, 5_000);
    expect(follower.actions.some((action) => action.type === "send_checks" && action.isNominated)).toBe(false);
  });

  test("the side that chooses does not follow the other one's WireGuard while its own path answers", () => {
    const path = setUpDirect();
    const { version } = path.state();
    path.at(20_100, { type: "roamed", endpoint: OTHER });
    expect(path.state()).toMatchObject({ path: { endpoint: STUN_ENDPOINT }, contest: { endpoint: OTHER } });
    path.until(20_200);
    expect(path.state()).toMatchObject({ path: { endpoint: STUN_ENDPOINT }, contest: null, version: version + 1 });
  });

  test("it follows within half a second when its own path does not answer: the peer's NAT came back with another port", () => {
    const path = setUpDirect();
    const { version } = path.state();
    path.answerFrom(OTHER);
    path.at(20_100, { type: "roamed", endpoint: OTHER });
    path.until(20_600);
    expect(path.state()).toMatchObject({ path: { endpoint: OTHER, isProved: true }, contest: null, version });
  });

  test("the other side follows at once, and writes nothing over where WireGuard went by itself", () => {
    const path = setUpDirect({ isControlling: false });
    const { version } = path.state();
    const actions = path.at(20_100, { type: "roamed", endpoint: OTHER });
    expect(path.state()).toMatchObject({ path: { endpoint: OTHER, isProved: false }, version });
    expect(actions).toContainEqual({ type: "send_checks", endpoints: [OTHER], isNominated: false });
  });
});

describe("roaming on the relay", () => {
  const setUpRelayed = () => {
    const path = setUpPath();
    path.at(100, { type: "loopback_packet" });
    path.at(150, { type: "relay_opened" });
    path.at(350, RELAY_READY);
    return path;
  };

  test("is checked and undone while the peer itself uses the relay: only its last packet may have come this way", () => {
    const path = setUpRelayed();
    path.at(1_000, { type: "relay_packet" });
    const { version } = path.state();
    const actions = path.at(1_500, { type: "roamed", endpoint: STUN_ENDPOINT });
    expect(typesOf(actions)).toContain("send_checks");
    expect(path.state()).toMatchObject({ path: { kind: "relayed" }, version: version + 1 });
    path.at(1_550, answered(STUN_ENDPOINT));
    expect(path.state().path.kind).toBe("direct");
  });

  test("is followed when the peer has left the relay", () => {
    const path = setUpRelayed();
    path.at(1_000, { type: "relay_packet" });
    path.at(6_000, { type: "roamed", endpoint: STUN_ENDPOINT });
    expect(path.state().path).toMatchObject({ kind: "direct", isProved: false });
  });
});

describe("packets that WireGuard still sends to the loopback socket after an upgrade", () => {
  test("have the endpoint written again, twice a second at most", () => {
    const path = setUpDirect();
    const { version } = path.state();
    for (let time = 20_100; time < 22_100; time += 10) path.at(time, { type: "loopback_packet" });
    expect(path.state().version - version).toBeLessThanOrEqual(4);
    expect(path.state().version).toBeGreaterThan(version);
  });
});

describe("another network", () => {
  test("keeps the path when it answers again", () => {
    const path = setUpDirect();
    path.at(20_100, { type: "network_changed" });
    talk(path, 21_000, 25_000);
    expect(path.state()).toMatchObject({ path: { endpoint: STUN_ENDPOINT, isProved: true }, missed: 0 });
    expect(path.count("request_relay")).toBe(0);
  });

  test("takes whatever answers when the old path does not, within a second", () => {
    const path = setUpDirect({ peer: { candidates: TWO } });
    path.answerFrom(OTHER);
    path.at(20_100, { type: "network_changed" });
    path.at(20_150, RECEIVED);
    path.until(21_000);
    expect(path.state().path).toMatchObject({ endpoint: OTHER, isProved: true });
  });
});

describe("a lossy path", () => {
  test("is not doubted for one check that was lost, nor on a way as long as a satellite's", () => {
    const path = setUpDirect();
    path.answerFrom(null);
    for (let time = 20_100; path.count("send_checks") === 0; time += 100) path.at(time, SENT);
    path.answerFrom(STUN_ENDPOINT);
    talk(path, 23_000, 40_000, SENT);
    expect(path.count("request_relay")).toBe(0);

    const far = setUpPath();
    far.answerFrom(STUN_ENDPOINT, 650);
    talk(far, 1_000, 60_000, SENT);
    expect(far.count("request_relay")).toBe(0);
  });
});
