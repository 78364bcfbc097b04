import { describe, expect, it } from "vitest";
import { MAX_NAMED_MACHINES } from "#schema/live/pace";
import { createMachineId } from "../../testing/fake-agent.ts";
import { createHints } from "./hints.ts";

describe("hints", () => {
  it("name each resource once, with every machine that it is about", () => {
    const [one, other] = [createMachineId(), createMachineId()];
    const hints = createHints();
    hints.add("members", one);
    hints.add("links", one);
    hints.add("members", other);
    hints.add("members", one);
    expect(hints.take()).toEqual([
      { resource: "members", machineIds: [one, other] },
      { resource: "links", machineIds: [one] },
    ]);
    expect(hints.take()).toEqual([]);
  });

  it("name nobody where it is about more than can be named, or about all", () => {
    const hints = createHints();
    for (let count = 0; count <= MAX_NAMED_MACHINES + 1; count++) hints.add("members", createMachineId());
    hints.add("presence", createMachineId());
    hints.add("presence", null);
    hints.add("presence", createMachineId());
    expect(hints.take()).toEqual([
      { resource: "members", machineIds: null },
      { resource: "presence", machineIds: null },
    ]);
  });
});
