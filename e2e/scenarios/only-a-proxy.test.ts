// olga on a LAN from which only TCP port 443, or only an HTTP proxy on its router, leads out; carol public.
import { expect, it } from "vitest";
import { createAgent } from "../fleet/agent.ts";
import { startConnectProxy } from "../fleet/connect-proxy.ts";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { untilPath } from "../fleet/paths.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { ping } from "../lab/probes/ping.ts";

const TOPOLOGY = {
  lans: [{ name: "office", nat: "blocked" as const, ipv4: "192.168.7.0/24" }],
  machines: [{ name: "olga", lan: "office" }, { name: "carol" }],
};
const IP_AND_ICMP_BYTES = 28;
const ROUTER = "192.168.7.1";

it("a machine with nothing but TCP port 443 talks over the relay, and says that UDP is blocked", async () => {
  await withFleet(TOPOLOGY, async (fleet, mesh) => {
    await closeOffice(fleet, "tcp dport != 443");
    const olga = fleet.lab.machine("olga");
    await upBoth(fleet, createAgent(olga, fleet.controlPlane.urlFor(olga, { port: 443 })));
    await fleet.untilConnected(mesh.id);
    await expectRelayed(fleet);
    await expectAnySize(fleet, mesh.id);
  });
});

it("a machine with nothing but an HTTP proxy talks over the relay through it", async () => {
  await withFleet(TOPOLOGY, async (fleet, mesh) => {
    await closeOffice(fleet, "meta l4proto { tcp, udp, icmp }");
    const proxy = await startConnectProxy(fleet.lab.node("office"), ROUTER);
    const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    await upBoth(fleet, fleet.agent("olga"), env);
    await fleet.untilConnected(mesh.id);
    await expectRelayed(fleet);
    await expectAnySize(fleet, mesh.id);
    expect(new Set(proxy.tunnels())).toEqual(new Set(["192.0.2.10:8080"]));
  });
});

async function upBoth(fleet: Fleet, olga: Fleet["agents"][number], env: Record<string, string> = {}): Promise<void> {
  const { token } = await fleet.api.createJoinToken();
  await Promise.all([olga.up({ token, env }), fleet.agent("carol").up({ token })]);
}

/** `match`: what the router drops beside what it drops anyway. */
async function closeOffice(fleet: Fleet, match: string): Promise<void> {
  const rule = ["iifname", "lan", "oifname", "wan", ...match.split(" "), "drop"];
  await fleet.lab.node("office").exec(["nft", "insert", "rule", "inet", "lab", "forward", ...rule]);
}

/** Up to the interface's MTU of 1,420 bytes, where WireGuard pads no more. */
async function expectAnySize(fleet: Fleet, meshId: string): Promise<void> {
  const { ipv4 = "" } = (await fleet.addresses(meshId)).get("carol") ?? {};
  for (const mtuBytes of [1_420, 1_419, 1_401, 700]) {
    const sizeBytes = mtuBytes - IP_AND_ICMP_BYTES;
    const { received } = await ping(fleet.lab.machine("olga"), ipv4, { count: 3, sizeBytes, dontFragment: true });
    expect(received, `of packets of ${mtuBytes} bytes`).toBeGreaterThan(0);
  }
}

async function expectRelayed(fleet: Fleet): Promise<void> {
  await untilPath(fleet, ["olga", "carol"], "relayed");
  // That no STUN server answers is known after 3 s.
  await eventually(
    async () => {
      const [carol, olga] = await untilPath(fleet, ["olga", "carol"], "relayed");
      const codes = [carol?.pathReason?.code, olga?.pathReason?.code];
      if (codes.join() !== "udp_blocked_here,udp_blocked_there") throw new Error(codes.join());
      return true;
    },
    { withinMs: 30_000, describe: "both say that olga's network blocks UDP" },
  );
}
