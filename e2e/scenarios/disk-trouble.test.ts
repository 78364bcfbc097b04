// alice, bob on one LAN. alice's disk is full, or holds nonsense.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { readStatus } from "../fleet/local-api.ts";
import { oneLan } from "../fleet/topologies.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";

it("an agent whose cache is corrupt says so and goes on from the control plane", async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const { agent, machine } = first(fleet);
    await agent.stop();
    await agent.becket("down");
    await writeFile(path.join(machine.files.varLib, "state.json"), '{"meshes": [{"half');

    const daemon = await agent.up();

    await fleet.untilConnected(mesh.id);
    expect(await readFile(daemon.logFile, "utf8")).toMatch(/corrupt|unreadable|not valid/i);
  });
});

it("an agent whose disk is full says so and keeps following the control plane", async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const { agent, machine, other } = first(fleet);
    await agent.stop();
    // The same files on a file system with no block left.
    const files = await readdir(machine.files.varLib);
    expect(files.length).toBeGreaterThan(0);
    await machine.exec(["cp", "-a", "/var/lib/becket", "/run/becket/copy"]);
    await machine.exec(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/var/lib/becket"]);
    await machine.exec(["cp", "-a", "/run/becket/copy/.", "/var/lib/becket/"]);
    await machine.exec(["dd", "if=/dev/zero", "of=/var/lib/becket/filler", "bs=4k"], { allowFailure: true });
    const daemon = await agent.up();

    const plant = await fleet.api.createMesh({ name: "plant", cidr: "10.88.0.0/24" });
    for (const { machineId } of (await fleet.addresses(mesh.id)).values()) {
      await fleet.api.call("POST", `/meshes/${plant.id}/members`, { machineId });
    }

    await eventually(async () => /ENOSPC|no space/i.test(await readFile(daemon.logFile, "utf8")), {
      withinMs: 30_000,
      describe: "the agent says that its disk is full",
    });
    await fleet.untilConnected(mesh.id);
    await eventually(async () => expect(await readPlant(machine)).toEqual(await readPlant(other.machine)), {
      withinMs: 30_000,
      describe: "the agent has applied the second mesh as the other has",
    });
    expect((await readStatus(machine)).failures).toContainEqual(expect.objectContaining({ code: "ENOSPC" }));
    expect((await readStatus(other.machine)).failures).toEqual([]);
  });
});

/** What is applied of the mesh "plant"; rejects until all of it is. */
async function readPlant(machine: LabNode) {
  const plant = (await readStatus(machine)).meshes.find(({ name }) => name === "plant");
  expect(plant).toMatchObject({ peers: 1, revision: expect.any(Number), appliedRevision: plant?.revision });
  return plant?.appliedRevision;
}

function first(fleet: Fleet) {
  const [agent, other] = fleet.agents;
  if (!agent || !other) throw new Error("the topology has two machines");
  return { agent, other, machine: agent.machine };
}
