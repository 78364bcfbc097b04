import { describe, expect, it } from "vitest";
import { PolicyRules } from "#schema/policy";
import { Prefix } from "#schema/prefix";
import { createMachineId } from "../../testing/fake-agent.ts";
import { type Announcer, findHolder } from "./find-holder.ts";

const PREFIX = Prefix.parse("10.1.0.100/32");
const of = (host: number, exportPolicy: object | null = null): Announcer => ({
  ...{ machineId: createMachineId(), host },
  exportPolicy:
    exportPolicy === null
      ? null
      : PolicyRules.parse({ rules: [], defaultAction: "accept", defaultLocalPreference: null, ...exportPolicy }),
});

describe("of the machines that announce, traffic goes to", () => {
  it.each([
    ["nobody where nobody announces", [], null],
    ["the one with the lowest address where all are alike", [of(9), of(3), of(7)], 1],
    ["another one than the backup", [of(3, { defaultLocalPreference: 50 }), of(9)], 1],
    ["the one with the highest preference", [of(3), of(9, { defaultLocalPreference: 200 }), of(10)], 1],
    ["the one with the lowest MED", [of(3, med(10)), of(9)], 1],
    ["none whose own policy keeps it back", [of(3, { defaultAction: "reject" }), of(9)], 1],
    ["the one that a rule about this prefix prefers", [of(3), of(9, preferring("10.1.0.100/32"))], 1],
    ["not the one that a rule about another prefix prefers", [of(3), of(9, preferring("10.1.0.101/32"))], 0],
  ] as const)("%s", (_, announcers, index) => {
    expect(findHolder(announcers, PREFIX)).toBe(index === null ? null : announcers[index]?.machineId);
  });
});

function med(setMed: number) {
  return { rules: [{ match: {}, action: "accept", setMed }] };
}

function preferring(prefix: string) {
  return { rules: [{ match: { prefixes: [prefix] }, action: "accept", setLocalPreference: 200 }] };
}
