// mallory is a member who may announce one network. She takes her agent's BIRD over and announces everything else.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { withFleet } from "../../fleet/fleet.ts";
import {
  addNetwork,
  askBird,
  BIRD_FOLDER,
  createRoute,
  createVip,
  readBirdRoutes,
  untilMembers,
  untilRouted,
} from "../../fleet/routing.ts";
import { readTunnels } from "../../fleet/tunnels.ts";
import type { LabNode } from "../../lab/node.ts";
import { eventually } from "../../lab/probes/eventually.ts";

const machines = [{ name: "alice" }, { name: "bob" }, { name: "mallory" }];
const [HERS, BOBS, VIP] = ["192.168.60.0/24", "192.168.70.0/24", "10.77.200.1"];
const FLOOD = 100_000;

it("what a member may not announce reaches nobody's kernel and nobody's WireGuard", async () => {
  await withFleet({ machines }, async (fleet, mesh) => {
    const [alice, bob, mallory] = fleet.lab.machines as [LabNode, LabNode, LabNode];
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const [, atBob, atMallory] = await untilMembers(fleet, mesh.id, ["alice", "bob", "mallory"]);
    if (!atBob || !atMallory) throw new Error("both are members");
    await addNetwork(bob, "192.168.70.1/24");
    await createRoute(fleet, mesh.id, { name: "hers", prefixes: [HERS], machineIds: [atMallory.machineId] });
    await createRoute(fleet, mesh.id, { name: "bobs", prefixes: [BOBS], machineIds: [atBob.machineId] });
    await createVip(fleet, mesh.id, { name: "shared", address: VIP, machineIds: [atBob.machineId] });
    await untilRouted(alice, HERS, atMallory.ipv4);
    await untilRouted(alice, BOBS, atBob.ipv4);
    await untilRouted(alice, `${VIP}/32`, atBob.ipv4);
    const before = { routes: await readRoutes(alice), allowed: await readAllowed(alice) };

    await fleet.agent("mallory").kill();
    const wanted = [`${atBob.ipv4}/32`, `${VIP}/32`, BOBS, "192.168.70.128/25", "0.0.0.0/0", "8.8.8.0/24"];
    const flood = Array.from(
      { length: FLOOD },
      (_, index) => `${20 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}.0/24`,
    );
    await announce(mallory, [...wanted, ...flood]);

    const session = async () => askBird(alice, "bkt-office", "show", "protocols", "all", atMallory.machineId);
    await eventually(async () => /[1-9]\d* filtered/.test(await session()), {
      withinMs: 60_000,
      describe: "alice's BIRD has heard it and filtered it",
    });
    // Her own network is announced last of all; that it is still there says that the session lives on.
    await untilRouted(alice, HERS, atMallory.ipv4);
    expect(await session()).toContain("Established");
    expect({ routes: await readRoutes(alice), allowed: await readAllowed(alice) }).toEqual(before);
  });
}, 300_000);

/** Besides what her agent had her announce. */
async function announce(mallory: LabNode, prefixes: readonly string[]): Promise<void> {
  const { stdout: config } = await mallory.exec(["cat", `${BIRD_FOLDER}/bkt-office.conf`]);
  const routes = prefixes.map((prefix) => `  route ${prefix} blackhole;`);
  const lie = `protocol static lies {\n  ipv4;\n${routes.join("\n")}\n}\n`;
  writeFileSync(path.join(mallory.files.run, "bird/bkt-office.conf"), `${config}\n${lie}`);
  expect(await askBird(mallory, "bkt-office", "configure")).toMatch(/Reconfigur/);
}

const readRoutes = async (machine: LabNode) =>
  (await readBirdRoutes(machine)).map(({ prefix, nextHop }) => `${prefix} via ${nextHop}`).sort();
const readAllowed = async (machine: LabNode) =>
  (await readTunnels(machine)).flatMap(({ allowedIps }) => allowedIps).sort();
