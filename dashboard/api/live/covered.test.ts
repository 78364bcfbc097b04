import { describe, expect, it } from "vitest";
import { listMachineEvents, listMachinePeers } from "#schema/api/machine-links";
import { getMachineRib } from "#schema/api/machine-routing";
import { getMachine, listMachines } from "#schema/api/machines";
import { listMembers } from "#schema/api/members";
import { getMesh } from "#schema/api/meshes";
import type { Operation } from "#schema/api/operation";
import { listVips } from "#schema/api/vips";
import { LIVE_RESOURCES, type LiveChange } from "#schema/live/messages";
import { MACHINE, MESH, OTHER_MACHINE, OTHER_MESH } from "../../testing/fake-socket.ts";
import { isMadeOld, toQuestion } from "./covered.ts";

const ask = ({ id }: Operation, params: Record<string, string> = {}) => toQuestion([id, "reply", { params }]);
const changed = (resource: string, ...machineIds: string[]) =>
  ({ resource, machineIds: machineIds.length === 0 ? null : machineIds }) as LiveChange;

describe("a change of a mesh makes old", () => {
  it.each([
    [listMembers, { meshId: MESH }, changed("members", OTHER_MACHINE)],
    [listVips, { meshId: MESH }, changed("vips", MACHINE)],
    [listVips, { meshId: MESH }, changed("presence", MACHINE)],
    [getMesh, { meshId: MESH }, changed("mesh")],
    [listMachines, {}, changed("presence", MACHINE)],
    [getMachine, { machineId: MACHINE }, changed("presence", MACHINE)],
    [getMachine, { machineId: MACHINE }, changed("lists")],
    [listMachineEvents, { machineId: MACHINE }, changed("links", OTHER_MACHINE, MACHINE)],
    [listMachineEvents, { machineId: MACHINE }, changed("links")],
    [listMachinePeers, { machineId: MACHINE }, changed("something-new")],
    [getMachineRib, { machineId: MACHINE }, changed("rib", MACHINE)],
  ] as const)("$0.id", (operation, params, change) => {
    expect(isMadeOld(ask(operation, params), MESH, change)).toBe(true);
  });
});

describe("a change of a mesh leaves as it is", () => {
  it.each([
    ["what is of another mesh", listMembers, { meshId: OTHER_MESH }, changed("members")],
    ["what is of another machine", listMachineEvents, { machineId: MACHINE }, changed("links", OTHER_MACHINE)],
    ["what it does not concern", listVips, { meshId: MESH }, changed("members")],
    ["what it does not concern, be it new", listVips, { meshId: OTHER_MESH }, changed("something-new")],
  ] as const)("%s", (_, operation, params, change) => {
    expect(isMadeOld(ask(operation, params), MESH, change)).toBe(false);
  });

  it("what no mesh tells of", () => {
    expect(isMadeOld(toQuestion(["listUsers", "list", {}]), MESH, changed("something-new"))).toBe(false);
    expect(isMadeOld(toQuestion(["own-key-of-a-page"]), MESH, changed("mesh"))).toBe(false);
  });
});

it("every resource makes something old", () => {
  const questions = [
    ask(getMesh, { meshId: MESH }),
    ask(listMembers, { meshId: MESH }),
    ask(listVips, { meshId: MESH }),
  ];
  const more = [listMachineEvents, listMachinePeers, getMachine, getMachineRib].map((one) =>
    ask(one, { machineId: MACHINE }),
  );
  const all = [...questions, ...more, toQuestion(["listRoutes", "list", { params: { meshId: MESH } }])];
  const network = toQuestion(["getMachineNetwork", "reply", { params: { machineId: MACHINE } }]);
  for (const resource of LIVE_RESOURCES) {
    expect(
      [...all, network].some((question) => isMadeOld(question, MESH, changed(resource))),
      resource,
    ).toBe(true);
  }
});
