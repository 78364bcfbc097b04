// alice behind an easy NAT; carol and dave public, with IPv6. What is under alice's and carol's feet changes while they talk; what is asked is how
// long they don't.
import { expect, it } from "vitest";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { untilPath } from "../fleet/paths.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

const INTERVAL_MS = 50;
const ROUNDS = 5;
const BACK_WITHIN_MS = 5_000;
const TOPOLOGY = {
  lans: [{ name: "home" }],
  machines: [{ name: "alice", lan: "home" }, { name: "carol" }, { name: "dave" }],
};

it(
  "after a NAT's reboot with other ports and another address traffic is back within 5 s",
  () => inRounds(["alice", "carol"], (fleet) => fleet.lab.rebootNat("home", { isNewAddress: true })),
  180_000,
);

it(
  "after a NAT's reboot with the same address traffic is back within 5 s",
  () => inRounds(["carol", "alice"], (fleet) => fleet.lab.rebootNat("home")),
  180_000,
);

it(
  "after a machine's address has changed traffic is back within 5 s",
  () =>
    inRounds(["alice", "carol"], async (fleet) => {
      await fleet.lab.changeAddress("carol");
    }),
  180_000,
);

it(
  "when IPv6 goes and when it comes traffic is back within 5 s",
  () => inRounds(["carol", "dave"], (fleet, round) => fleet.lab.setIpv6("carol", round % 2 === 0 ? "off" : "on")),
  180_000,
);

/** Every round on one fleet, which after each is direct again. The longest of the rounds is the p95 of so few. */
async function inRounds(
  [from, to]: readonly [string, string],
  change: (fleet: Fleet, round: number) => Promise<void>,
): Promise<void> {
  await withFleet(TOPOLOGY, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const address = (await fleet.addresses(mesh.id)).get(to)?.ipv4 ?? "";
    const outagesMs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await untilPath(fleet, [from, to], "direct", { withinMs: 70_000 });
      const pings = await startPing(fleet.lab.machine(from), address, { intervalMs: INTERVAL_MS });
      await eventually(() => pings.received() > 10, { withinMs: 10_000, describe: "pings flow" });
      await change(fleet, round);
      const before = pings.received();
      await eventually(() => pings.received() > before + 20, { withinMs: 30_000, describe: "pings flow again" });
      outagesMs.push((await pings.stop()).lost * INTERVAL_MS);
    }
    expect(Math.max(...outagesMs), `outages: ${outagesMs.join(", ")} ms`).toBeLessThanOrEqual(BACK_WITHIN_MS);
  });
}
