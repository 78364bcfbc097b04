// What changes under machines' feet while they talk, and for how long they don't talk then: alice behind an easy NAT; carol and dave public, with
// IPv6.
import type { TopologyInput } from "../lab/plan/topology.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";
import { type Fleet, withFleet } from "./fleet.ts";
import { untilPath } from "./paths.ts";

export interface NetworkChange {
  /** Who pings whom. */
  readonly between: readonly [from: string, to: string];
  make(fleet: Fleet, round: number): Promise<unknown>;
}

export const NETWORK_CHANGES = {
  /** Other ports and another address. */
  natRebootNewAddress: {
    between: ["alice", "carol"],
    make: ({ lab }) => lab.rebootNat("home", { isNewAddress: true }),
  },
  /** Other ports. */
  natReboot: { between: ["carol", "alice"], make: ({ lab }) => lab.rebootNat("home") },
  machineAddress: { between: ["alice", "carol"], make: ({ lab }) => lab.changeAddress("carol") },
  /** It goes and comes in turn. */
  ipv6: {
    between: ["carol", "dave"],
    make: ({ lab }, round) => lab.setIpv6("carol", round % 2 === 0 ? "off" : "on"),
  },
} as const satisfies Record<string, NetworkChange>;

const TOPOLOGY: TopologyInput = {
  lans: [{ name: "home" }],
  machines: [{ name: "alice", lan: "home" }, { name: "carol" }, { name: "dave" }],
};
const INTERVAL_MS = 50;
/** Pings that are answered before the change, and after it. */
const [BEFORE, AFTER] = [10, 20];
const BACK_LIMIT_MS = 30_000;

/** Pings that were lost around each change, as time. Every round on one fleet, whose pair is direct before each. */
export async function measureOutages(change: NetworkChange, rounds: number): Promise<number[]> {
  const outagesMs: number[] = [];
  await withFleet(TOPOLOGY, async (fleet, mesh) => {
    const [from, to] = change.between;
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    const address = (await fleet.addresses(mesh.id)).get(to)?.ipv4 ?? "";
    for (let round = 0; round < rounds; round++) {
      await untilPath(fleet, [from, to], "direct", { withinMs: 70_000 });
      const pings = await startPing(fleet.lab.machine(from), address, { intervalMs: INTERVAL_MS });
      await eventually(() => pings.received() > BEFORE, { withinMs: 10_000, describe: "pings flow" });
      await change.make(fleet, round);
      const before = pings.received();
      await eventually(() => pings.received() > before + AFTER, {
        withinMs: BACK_LIMIT_MS,
        describe: "pings flow again",
      });
      outagesMs.push((await pings.stop()).lost * INTERVAL_MS);
    }
  });
  return outagesMs;
}
