import { describe, expect, it } from "vitest";
import type { BirdProtocol } from "../bird/parse-protocols.ts";
import type { BirdRoute } from "../bird/parse-routes.ts";
import { birdConfig, birdMember, toMachineId } from "../testing/bird-fixture.ts";
import { advisePhase, hasAllCopies, type SwitchInputs } from "./reflector-switch.ts";

const NOW = 1_000_000;
const config = birdConfig(1, {
  members: [birdMember(2), birdMember(3, { isGateway: true }), birdMember(4, { isGateway: true })],
});
const session = (number: number, state: "Established" | "Active", ageMs = 60_000): BirdProtocol => ({
  ...{ name: toMachineId(number), type: "BGP", state: "up", sinceMs: NOW - ageMs, channels: [] },
  session: { state, neighbor: null, lastError: null, isRestarting: false },
});
const advise = (changes: Partial<SwitchInputs>, ...protocols: BirdProtocol[]) =>
  advisePhase({ isWanted: true, config, protocols, before: null, nowMs: NOW, wallMs: NOW, ...changes });
const both = (ageMs: number) => ({ before: { phase: "both" as const, sinceMs: NOW - ageMs } });
const KEEP = { phase: "both", waitMs: 2_000 };

describe("into route reflector mode", () => {
  it("first lets others take the gateways' copies, and gives them time for that", () => {
    const up = [session(2, "Established"), session(3, "Established")];
    expect(advise({}, ...up)).toEqual(KEEP);
    expect(advise({ before: { phase: "direct", sinceMs: 0 } }, ...up)).toEqual(KEEP);
    expect(advise(both(9_999), ...up)).toEqual(KEEP);
    expect(advise(both(10_000), ...up)).toEqual({ phase: "reflected_with_all_copies", waitMs: 2_000 });
  });

  it("keeps sessions with members until a gateway's session has been up for 10 s", () => {
    expect(advise(both(60_000), session(2, "Established"))).toEqual(KEEP);
    expect(advise(both(60_000), session(2, "Established"), session(3, "Active"))).toEqual(KEEP);
    const [young, old] = [session(3, "Established", 9_999), session(4, "Established", 10_000)];
    expect(advise(both(60_000), session(2, "Established"), young)).toEqual(KEEP);
    expect(advise(both(60_000), session(2, "Established"), young, old).phase).toBe("reflected_with_all_copies");
  });

  it("begins no sessions with members where none are", () => {
    expect(advise({ protocols: null })).toEqual({ phase: "reflected", waitMs: null });
    expect(advise({}, session(3, "Active"))).toEqual({ phase: "reflected", waitMs: null });
  });

  it("has nothing to drop on a gateway", () => {
    const gateway = { ...config, isGateway: true };
    expect(advise({ config: gateway }, session(2, "Established"))).toEqual({ phase: "reflected", waitMs: null });
  });

  it("needs a gateway's copy of everything that came from members", () => {
    const route = (prefix: string, from: number, changes: Partial<BirdRoute> = {}): BirdRoute => ({
      ...{ prefix, nextHop: "10.77.0.2", interfaceName: "bkt-prod", protocol: toMachineId(from), sinceMs: NOW },
      ...{ isBest: false, isFiltered: false },
      bgp: { nextHop: "10.77.0.2", asPath: [], localPreference: 100, med: null, communities: [] },
      ...changes,
    });
    const own = route("192.168.9.0/24", 2, { protocol: "announce_lan_ipv4", bgp: null });
    const direct = route("192.168.50.0/24", 2);
    expect(hasAllCopies(config, [own])).toBe(true);
    expect(hasAllCopies(config, [own, direct])).toBe(false);
    expect(hasAllCopies(config, [own, direct, route("192.168.50.0/24", 3)])).toBe(true);
    expect(hasAllCopies(config, [own, direct, route("192.168.50.0/24", 3, { isFiltered: true })])).toBe(false);
    expect(hasAllCopies(config, [own, direct, route("192.168.51.0/24", 3)])).toBe(false);
    const elsewhere = { nextHop: "10.77.0.5", asPath: [], localPreference: 100, med: null, communities: [] };
    expect(hasAllCopies(config, [own, direct, route("192.168.50.0/24", 3, { bgp: elsewhere })])).toBe(false);
  });
});

describe("out of route reflector mode", () => {
  const isWanted = false;

  it("lets others take copies until all sessions with members have been up for 10 s, or a minute is over", () => {
    expect(advise({ isWanted, before: { phase: "reflected", sinceMs: 0 } })).toEqual(KEEP);
    expect(advise({ isWanted, ...both(20_000) }, session(2, "Active"))).toEqual(KEEP);
    expect(advise({ isWanted, ...both(20_000) }, session(2, "Established", 9_999))).toEqual(KEEP);
    const done = { phase: "direct", waitMs: null };
    expect(advise({ isWanted, ...both(20_000) }, session(2, "Established", 10_000))).toEqual(done);
    expect(advise({ isWanted, ...both(60_000) }, session(2, "Active"))).toEqual(done);
  });

  it("has nothing to do where nothing else is known", () => {
    expect(advise({ isWanted }, session(2, "Active"))).toEqual({ phase: "direct", waitMs: null });
  });
});
