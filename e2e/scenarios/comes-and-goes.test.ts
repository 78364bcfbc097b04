// alice, bob on one LAN. alice is taken out of the mesh and put back faster than her agent can follow.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { oneLan } from "../fleet/topologies.ts";

it("a machine that leaves and joins a mesh many times in a moment has one interface, and none after `becket down`", async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const alice = fleet.agent("alice");
    const { machineId } = (await fleet.addresses(mesh.id)).get("alice") ?? {};
    const interfaces = async () =>
      (await alice.machine.exec(["ip", "-brief", "link"])).stdout
        .split("\n")
        .flatMap((line) => /^(bkt-\S+)/.exec(line)?.[1] ?? []);
    const before = await interfaces();

    for (let count = 0; count < 40; count++) {
      await fleet.api.call("DELETE", `/meshes/${mesh.id}/members/${machineId}`);
      await fleet.api.call("POST", `/meshes/${mesh.id}/members`, { machineId });
    }
    await fleet.untilConnected(mesh.id);
    expect(await interfaces()).toEqual(before);

    await alice.becket("down");
    expect(await interfaces()).toEqual([]);
  });
});
