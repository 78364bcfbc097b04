// alice, bob on one LAN. alice's agent runs on the oldest Node that this host offers, bob's on the newest.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { oneLan } from "../fleet/topologies.ts";

it("the bundled agent runs on the system's own Node", async () => {
  const systemNode = findSystemNode();
  await withFleet(oneLan, async (fleet, mesh) => {
    const { token } = await fleet.api.createJoinToken();
    const [alice, bob] = fleet.agents;
    await alice?.up({ token, node: systemNode });
    await bob?.up({ token });
    await fleet.untilConnected(mesh.id);
    const [machine] = (await fleet.api.listMachines()).filter((one) => one.name === alice?.machine.name);
    const version = execFileSync(systemNode, ["--version"], { encoding: "utf8" }).trim();
    expect(machine?.agent?.nodeVersion.replace(/^v?/, "v")).toBe(version);
  });
});

/** The first `node` of PATH that is not one of node_modules: the one that a user of this host has. */
function findSystemNode(): string {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => !folder.includes("node_modules"));
  const found = folders.map((folder) => path.join(folder, "node")).find((file) => existsSync(file));
  if (found === undefined) throw new Error("there is no node in PATH outside of node_modules");
  return found;
}
