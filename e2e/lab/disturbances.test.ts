import { describe, expect, onTestFinished, test } from "vitest";
import type { Lab } from "./lab.ts";
import { eventually } from "./probes/eventually.ts";
import { ping, startPing } from "./probes/ping.ts";
import { requestMapping } from "./testing/request-mapping.ts";
import { startUdpPeer, type UdpPeer } from "./testing/start-udp-peer.ts";
import { useLab } from "./testing/use-lab.ts";

describe("a lab that is disturbed", () => {
  const lab = useLab({
    carriers: [{ name: "telco" }],
    lans: [{ name: "home" }, { name: "flat", carrier: "telco" }, { name: "office", nat: "mapped", ipv6: "global" }],
    machines: [
      { name: "alice", lan: "home" },
      { name: "bob", lan: "home" },
      { name: "frank", lan: "flat" },
      { name: "oscar", lan: "office" },
      { name: "carol" },
      { name: "dave" },
    ],
  });

  test.each([
    ["home", "alice"],
    ["telco", "frank"],
  ])(
    "a rebooted router (%s) forgets its mappings and gives other ports, again one for all destinations",
    async (router, name) => {
      const [inside, carol, dave] = await startPeers(lab(), [name, "carol", "dave"]);
      const ask = async (text: string) => {
        await inside?.tell({ address: "198.51.100.10" }, text);
        await inside?.tell({ address: "198.51.100.11" }, text);
        const seen = [await carol?.heardFrom(text), await dave?.heardFrom(text)];
        expect(seen[0]).toBe(seen[1]);
        return seen[0] ?? "";
      };
      const before = await ask("before");
      await lab().rebootNat(router);
      await carol?.tell(split(before), "to the old mapping");
      const after = await ask("after");
      expect(before.split(":")[1]).toBe("5000");
      expect(split(after).address).toBe(split(before).address);
      expect(split(after).port).toBeGreaterThanOrEqual(20_000);
      await lab().rebootNat(router, { isNewAddress: true });
      const moved = await ask("moved");
      expect(split(moved).address).not.toBe(split(before).address);
      expect(split(moved).address).toBe(lab().node(router).ipv4);
      expect(split(moved).port).not.toBe(split(after).port);
      await carol?.tell(split(moved), "to the new mapping");
      await inside?.heardFrom("to the new mapping");
      expect(inside?.heard().map((line) => line.replace(/^\S+ /, ""))).toEqual(["to the new mapping"]);
    },
  );

  test("a lossy site loses packets in both directions, and none any more when it is mended", async () => {
    const ping100 = () =>
      ping(lab().machine("dave"), lab().machine("carol").ipv4 ?? "", { count: 100, intervalMs: 10, waitMs: 10_000 });
    await lab().setLoss("carol", 30);
    // Of a hundred round trips half are lost; that fewer than ten are, is as likely as a coin that falls on one side fifty times.
    expect((await ping100()).lost).toBeGreaterThan(10);
    await lab().setLoss("carol", 0);
    expect((await ping100()).lost).toBe(0);
  });

  test("a rebooted router that maps ports has forgotten them, and maps ports again", async () => {
    const oscar = lab().machine("oscar");
    const request = { protocol: "nat-pmp", internalPort: 5000, publicPort: 5600, seconds: 600 } as const;
    await requestMapping(oscar, request);
    await lab().rebootNat("office", { isNewAddress: true });
    expect((await lab().node("office").exec(["nft", "list", "ruleset"])).stdout).not.toContain("5600");
    expect(await requestMapping(oscar, request)).toBe(`${lab().node("office").ipv4}:5600`);
  });

  test("UDP between two sites vanishes both ways while all else passes, until it is healed", async () => {
    const [alice, carol, dave] = await startPeers(lab(), ["alice", "carol", "dave"]);
    await lab().blackhole("alice", "carol");
    await carol?.tell({ address: "198.51.100.11" }, "from carol");
    await alice?.tell({ address: "198.51.100.10" }, "into the hole");
    await alice?.tell({ address: "198.51.100.11" }, "from alice");
    await dave?.heardFrom("from carol");
    await dave?.heardFrom("from alice");
    expect(await ping(lab().machine("alice"), "carol")).toMatchObject({ received: 1 });
    await lab().heal("alice", "carol");
    await alice?.tell({ address: "198.51.100.10" }, "healed");
    await carol?.heardFrom("healed");
    expect(carol?.heard().filter((line) => line.endsWith("into the hole"))).toEqual([]);
    await expect(lab().blackhole("alice", "bob")).rejects.toThrow("do not meet on the internet");
  });

  test.each(["dave", "oscar"])("IPv6 of %s goes and comes back, IPv4 stays", async (name) => {
    const machine = lab().machine(name);
    expect(await ping(machine, "carol", { family: 6 })).toMatchObject({ received: 1 });
    await lab().setIpv6(name, "off");
    expect(await ping(machine, "carol", { family: 6, waitMs: 200 })).toMatchObject({ received: 0 });
    expect(await ping(machine, "carol", { family: 4 })).toMatchObject({ received: 1 });
    await lab().setIpv6(name, "on");
    await eventually(async () => (await ping(machine, "carol", { family: 6 })).received === 1, {
      withinMs: 20_000,
      describe: "IPv6 is back",
    });
  });

  test("a machine asleep neither answers nor does anything, and goes on where it was", async () => {
    const running = await startPing(lab().machine("dave"), "carol", { family: 4, intervalMs: 20 });
    await eventually(() => running.received() > 3, { withinMs: 20_000, describe: "it pings" });
    await lab().fallAsleep("dave");
    const asleep = running.received();
    expect(await ping(lab().machine("carol"), "dave", { family: 4, waitMs: 300 })).toMatchObject({ received: 0 });
    expect(running.received()).toBe(asleep);
    await lab().wakeUp("dave");
    await eventually(() => running.received() > asleep + 3, { withinMs: 20_000, describe: "it pings on" });
    await running.stop();
  });
});

/** They end with the test: the next one wants their port. */
async function startPeers(lab: Lab, names: readonly string[]): Promise<UdpPeer[]> {
  const peers = await Promise.all(names.map((name) => startUdpPeer(lab.machine(name))));
  onTestFinished(async () => void (await Promise.all(peers.map((peer) => peer.stop()))));
  return peers;
}

function split(endpoint: string): { address: string; port: number } {
  const [address = "", port] = endpoint.split(":");
  return { address, port: Number(port) };
}
