// One machine behind each kind of NAT: what `becket netcheck` says of it.
import { expect, it } from "vitest";
import { NetcheckReply } from "#schema/local/status";
import type { NatReport } from "#schema/nat";
import { withFleet } from "../fleet/fleet.ts";
import { gridTopology, machineName, type NetworkKind } from "../nat-grid/kinds.ts";

type Expected = Partial<Omit<NatReport, "udp" | "portMapping">> & { udp?: Partial<NatReport["udp"]>; mapsPorts?: true };
const EASY = { mapping: "endpoint-independent", filtering: "address-and-port-dependent", preservesPort: true } as const;

const EXPECTED: Partial<Record<NetworkKind, Expected>> = {
  public: { udp: { ipv4: true, ipv6: true }, mapping: "none", filtering: "endpoint-independent" },
  easy: { udp: { ipv4: true, ipv6: false }, ...EASY },
  // Its filtering depends on whether the port was opened before it was measured.
  mapped: { mapping: "endpoint-independent", preservesPort: true, mapsPorts: true },
  hard: {
    mapping: "address-and-port-dependent",
    filtering: "address-and-port-dependent",
    preservesPort: false,
  },
  "full-cone": { mapping: "endpoint-independent", filtering: "endpoint-independent", preservesPort: true },
  carrier: EASY,
  blocked: { udp: { ipv4: false, ipv6: false }, mapping: "unknown" },
  "ipv6-only": { udp: { ipv4: false, ipv6: true }, mapping: "none" },
  firewalled: { mapping: "none", filtering: "address-and-port-dependent" },
};

it("netcheck names mapping, filtering, blocked UDP and port mapping of every kind of NAT", async () => {
  const kinds = Object.keys(EXPECTED) as NetworkKind[];
  const { machines, ...networks } = gridTopology(kinds);
  const topology = { ...networks, machines: machines.filter(({ name }) => name.endsWith("-a")) };
  await withFleet(topology, async (fleet, mesh) => {
    await fleet.enrolAll();
    // Only then every machine is sure to have a port to ask from.
    await fleet.untilConnected(mesh.id, { withinMs: 60_000 });
    const seen = await Promise.all(
      kinds.map(async (kind) => {
        const { stdout } = await fleet.agent(machineName(kind, "a")).becket("netcheck", "--json");
        const { report } = NetcheckReply.parse(JSON.parse(stdout));
        if (report === null) throw new Error(`${kind} was not measured`);
        return [kind, { ...report, mapsPorts: report.portMapping.endpoints.length > 0 || undefined }] as const;
      }),
    );
    expect(Object.fromEntries(seen)).toMatchObject(EXPECTED);
    const text = (await fleet.agent(machineName("hard", "a")).becket("netcheck")).stdout;
    expect(text).toMatch(/address-and-port-dependent/);
  });
}, 180_000);
