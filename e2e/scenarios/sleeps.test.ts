// alice behind an easy NAT that forgets mappings after 30 s; carol public. alice sleeps for two minutes.
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { untilPath } from "../fleet/paths.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { ping } from "../lab/probes/ping.ts";

/** The time that it sleeps is what is tested, not something waited for. */
const SLEEP_MS = 125_000;

/** It takes 5 s at the most on cores that nobody else uses; what takes this long has waited for a rekey or a keepalive. */
const AWAKE_WITHIN_MS = 15_000;

it("a laptop that slept two minutes is reached from both sides soon after it woke", async () => {
  const topology = {
    lans: [{ name: "home", udpTimeoutSeconds: 30 }],
    machines: [{ name: "alice", lan: "home" }, { name: "carol" }],
  };
  await withFleet(topology, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    await untilPath(fleet, ["alice", "carol"], "direct");
    const addresses = await fleet.addresses(mesh.id);
    const [alice, carol] = [fleet.lab.machine("alice"), fleet.lab.machine("carol")];

    await fleet.lab.fallAsleep("alice");
    await delay(SLEEP_MS);
    await fleet.lab.wakeUp("alice");

    const answers = async (from: typeof alice, to: string) =>
      (await ping(from, addresses.get(to)?.ipv4 ?? "", { waitMs: 300 })).received === 1;
    const startedAt = performance.now();
    await Promise.all([
      eventually(() => answers(alice, "carol"), { withinMs: 30_000, describe: "alice reaches carol" }),
      eventually(() => answers(carol, "alice"), { withinMs: 30_000, describe: "carol reaches alice" }),
    ]);
    expect(performance.now() - startedAt).toBeLessThanOrEqual(AWAKE_WITHIN_MS);
    await untilPath(fleet, ["alice", "carol"], "direct", { withinMs: 70_000 });
  });
}, 300_000);
