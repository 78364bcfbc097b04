// alice, bob on one LAN; carol, dave public. The control plane is killed for a minute while traffic flows.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { fourMachines } from "../fleet/topologies.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

/** The time that the outage lasts is what is tested, not something waited for. */
const OUTAGE_MS = 60_000;

it("no packet is lost without the control plane, and an agent restarted meanwhile comes up from its disk", async () => {
  await withFleet(fourMachines, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const addresses = await fleet.addresses(mesh.id);
    const carol = addresses.get("carol");
    const bob = addresses.get("bob");
    const toCarol = await startPing(fleet.lab.machine("alice"), carol?.ipv4 ?? "", { intervalMs: 50 });
    const toBob = await startPing(fleet.lab.machine("dave"), bob?.ipv6 ?? "", { intervalMs: 50 });

    await fleet.controlPlane.kill();
    await fleet.agent("alice").kill();
    const outage = delay(OUTAGE_MS);
    await fleet.agent("alice").up();
    await eventually(async () => JSON.stringify(await fleet.agent("alice").read("peers")).includes("carol"), {
      withinMs: 30_000,
      describe: "alice's new agent knows its peers from its disk",
    });
    await outage;

    expect(await toCarol.stop()).toMatchObject({ lost: 0 });
    expect(await toBob.stop()).toMatchObject({ lost: 0 });

    await fleet.controlPlane.start();
    await eventually(async () => (await fleet.api.listMachines()).every((machine) => machine.online), {
      withinMs: 60_000,
      describe: "every machine is connected again",
    });
    await fleet.untilConnected(mesh.id);
    expect(await fleet.addresses(mesh.id)).toEqual(addresses);
  });
}, 180_000);
