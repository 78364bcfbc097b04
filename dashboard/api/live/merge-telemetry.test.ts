import { describe, expect, it } from "vitest";
import { explainMachinePeer, getMachineNetwork, listMachineEndpoints } from "#schema/api/machine-links";
import { getMachineRib } from "#schema/api/machine-routing";
import type { PeerExplanation } from "#schema/path";
import { createEndpoint, createFrame, MACHINE, MESH, OTHER_MACHINE, OTHER_MESH } from "../../testing/fake-socket.ts";
import { mergeTelemetry } from "./merge-telemetry.ts";
import { mergeWatches } from "./merge-watches.ts";

const of = ({ id }: { readonly id: string }, peerId: string | null = null) => ({
  operationId: id,
  peerId,
  onlyMeshId: null,
});
const told = { meshId: MESH, frame: createFrame() };

describe("a frame of telemetry", () => {
  it("replaces what was known of its mesh, in its place, and leaves other meshes", () => {
    const [first, last] = [createEndpoint(OTHER_MESH), createEndpoint("msh_3")];
    const items = [first, createEndpoint(MESH, "192.0.2.1:1"), createEndpoint(MESH, "192.0.2.1:2"), last];
    expect(mergeTelemetry(of(listMachineEndpoints), { items }, told)).toEqual({
      items: [first, createEndpoint(MESH), last],
    });
    const others = { items: [first] };
    expect(mergeTelemetry(of(listMachineEndpoints), others, told)).toEqual({ items: [first, createEndpoint(MESH)] });
  });

  it("explains the peer that was asked for, and takes no explanation away", () => {
    const explanation = { meshId: MESH, machineId: OTHER_MACHINE, path: "relayed" } as PeerExplanation;
    const frame = createFrame([MESH], { explanations: [explanation, { ...explanation, machineId: MACHINE } as never] });
    const before = { items: [{ ...explanation, path: "direct" }] };
    expect(mergeTelemetry(of(explainMachinePeer, OTHER_MACHINE), before, { meshId: MESH, frame })).toEqual({
      items: [explanation],
    });
    expect(mergeTelemetry(of(explainMachinePeer, OTHER_MACHINE), before, told)).toBe(before);
  });

  it("says nothing of what is not in it, nor of a mesh that was not asked for", () => {
    const others = { items: [createEndpoint(OTHER_MESH)] };
    expect(mergeTelemetry({ ...of(listMachineEndpoints), onlyMeshId: OTHER_MESH }, others, told)).toBe(others);
    const before = { report: null };
    expect(mergeTelemetry(of(getMachineNetwork), before, told)).toBe(before);
    expect(mergeTelemetry(of(getMachineRib), before, told)).toBe(before);
  });
});

describe("what several parts of a page watch", () => {
  const machine = (machineId: string, ...explain: string[]) => ({ machineId, explain }) as never;

  it("names each machine and each peer once, the newest first", () => {
    expect(mergeWatches([machine("a", "p"), machine("b"), machine("a", "q", "p")])).toEqual([
      machine("a", "q", "p"),
      machine("b"),
    ]);
  });

  it("stays within what a socket may say", () => {
    const many = Array.from({ length: 9 }, (_, index) => machine(`m${index}`, "1", "2", "3", "4", "5"));
    const merged = mergeWatches(many);
    expect(merged.map(({ machineId }) => machineId)).toEqual(["m8", "m7", "m6", "m5"]);
    expect(merged.map(({ explain }) => explain.length)).toEqual([4, 4, 4, 4]);
  });
});
