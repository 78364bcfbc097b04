import { describe, expect, it, vi } from "vitest";
import { AnnouncementRow } from "#schema/desired-state";
import { toMachineId, toMeshId } from "../testing/bird-fixture.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { toRouteId } from "../testing/routed-mesh-fixture.ts";
import { createHandover, withLeaving } from "./handover.ts";

const MESH = toMeshId(77);
const [A, B] = ["192.168.50.0/24", "192.168.60.0/24"];
const row = (machines: number[], prefixes: string[] = [A], index = 1) =>
  AnnouncementRow.parse({ id: toRouteId(index), prefixes, machineIds: machines.map(toMachineId) });

function setUp() {
  const clock = createFakeClock();
  const onOver = vi.fn();
  return { clock, onOver, handover: createHandover(clock, onOver) };
}

describe("a handover", () => {
  it("leaves a network with the machine that announced it for 5 s, when another is to announce it", async () => {
    const { clock, onOver, handover } = setUp();
    expect(handover.leaving(MESH, [row([1])])).toEqual([]);
    const moved = [row([2])];
    expect(handover.leaving(MESH, moved)).toEqual([row([1])]);
    expect(handover.leaving(MESH, moved)).toBe(handover.leaving(MESH, moved));
    await clock.advance(4_999);
    expect(handover.leaving(MESH, [row([2])])).toEqual([row([1])]);
    await clock.advance(1);
    expect(onOver).toHaveBeenCalledOnce();
    expect(handover.leaving(MESH, moved)).toEqual([]);
  });

  it("is none where nobody takes over: what is withdrawn is gone at once", () => {
    const { handover } = setUp();
    handover.leaving(MESH, [row([1]), row([1], [B], 2)]);
    expect(handover.leaving(MESH, [row([])])).toEqual([]);
  });

  it("is of the networks that are announced on, and not of the others", () => {
    const { handover } = setUp();
    handover.leaving(MESH, [row([1, 2], [A, B])]);
    expect(handover.leaving(MESH, [row([2], [B])])).toEqual([row([1], [B])]);
  });

  it("ends when the machine announces again, and is forgotten with the mesh", () => {
    const { handover } = setUp();
    handover.leaving(MESH, [row([1])]);
    handover.leaving(MESH, [row([2])]);
    expect(handover.leaving(MESH, [row([1, 2])])).toEqual([]);
    expect(handover.leaving(MESH, [row([2])])).toEqual([row([1])]);
    handover.forget(MESH);
    expect(handover.leaving(MESH, [row([2])])).toEqual([]);
  });

  it("counts who leaves among those who announce", () => {
    const rows = [row([2]), row([3], [B], 2)];
    expect(withLeaving(rows, [])).toBe(rows);
    expect(withLeaving(rows, [row([1]), row([1, 4])])).toEqual([row([2, 1, 4]), rows[1]]);
  });
});
