import { expect, it } from "vitest";
import type { BirdProtocol } from "../bird/parse-protocols.ts";
import { birdConfig, birdMember, toMachineId } from "../testing/bird-fixture.ts";
import { adviseSwitch } from "./reflector-switch.ts";

const NOW = 1_000_000;
const config = birdConfig(1, {
  members: [birdMember(2), birdMember(3, { isGateway: true }), birdMember(4, { isGateway: true })],
});
const session = (number: number, state: "Established" | "Active", ageMs = 60_000): BirdProtocol => ({
  ...{ name: toMachineId(number), type: "BGP", state: "up", sinceMs: NOW - ageMs, channels: [] },
  session: { state, neighbor: null, lastError: null, isRestarting: false },
});
const advise = (...protocols: BirdProtocol[]) => adviseSwitch(config, protocols, NOW);

it("keeps sessions with members until a gateway's session has been up for 10 s", () => {
  expect(advise(session(2, "Established"))).toEqual({ code: "keep", waitMs: 2_000 });
  expect(advise(session(2, "Established"), session(3, "Active"))).toEqual({ code: "keep", waitMs: 2_000 });
  const [young, old] = [session(3, "Established", 9_500), session(4, "Established", 10_000)];
  expect(advise(session(2, "Established"), young)).toEqual({ code: "keep", waitMs: 500 });
  expect(advise(session(2, "Established"), young, old)).toEqual({ code: "drop" });
});

it("begins none where none are", () => {
  expect(adviseSwitch(config, null, NOW)).toEqual({ code: "drop" });
  expect(advise(session(3, "Active"))).toEqual({ code: "drop" });
});

it("has nothing to drop on a gateway", () => {
  expect(adviseSwitch({ ...config, isGateway: true }, [session(2, "Established")], NOW)).toEqual({ code: "drop" });
});
