// What a small UDP observer sees of each kind of NAT: which public ports it gives (mapping), and who may come in (filtering).
import { describe, expect, test } from "vitest";
import type { TopologyInput } from "./plan/topology.ts";
import { eventually } from "./probes/eventually.ts";
import { ping } from "./probes/ping.ts";
import { requestMapping } from "./testing/request-mapping.ts";
import { startUdpPeer, type UdpPeer } from "./testing/start-udp-peer.ts";
import { useLab } from "./testing/use-lab.ts";

const KINDS: TopologyInput = {
  carriers: [{ name: "telco" }, { name: "mobile", nat: "hard" }],
  lans: [
    { name: "easy", nat: "easy" },
    { name: "hard", nat: "hard" },
    { name: "cone", nat: "full-cone" },
    { name: "mapped", nat: "mapped" },
    { name: "blocked", nat: "blocked" },
    { name: "home", carrier: "telco" },
    { name: "phone", carrier: "mobile" },
    { name: "forgetful", udpTimeoutSeconds: 3 },
  ],
  machines: [
    ...["easy", "hard", "cone", "mapped", "blocked", "home", "phone", "forgetful"].map((lan) => ({
      name: `in-${lan}`,
      lan,
    })),
    { name: "carol" },
    { name: "dave" },
    { name: "erin" },
    { name: "walled", firewall: true },
    { name: "six", ipv4: "none" },
    { name: "four", ipv6: "none" },
  ],
};
const TARGETS = ["carol", "dave", "erin"] as const;
const WALLED = "198.51.100.13";

describe("an internet with every kind of NAT", () => {
  const lab = useLab(KINDS);
  const peers = new Map<string, Promise<UdpPeer>>();
  const peer = (name: string) => {
    const known = peers.get(name) ?? startUdpPeer(lab().machine(name));
    peers.set(name, known);
    return known;
  };
  const address = (name: string) => lab().machine(name).ipv4 ?? "";
  let rounds = 0;
  /** The public endpoints that the three public machines see when `name` sends to each from one socket. */
  const observe = async (name: string): Promise<string[]> => {
    const [from, round] = [await peer(name), ++rounds];
    const seen: string[] = [];
    for (const target of TARGETS) {
      const to = await peer(target);
      await from.tell({ address: address(target) }, `round ${round}`);
      seen.push(await to.heardFrom(`round ${round}`));
    }
    return seen;
  };
  /** Whether what `stranger`, who was never sent anything, sends to a public endpoint comes in. A known sender's packet tells when to look. */
  const letsIn = async (name: string, endpoint: string, stranger: string): Promise<boolean> => {
    const [publicAddress = "", port] = endpoint.split(":");
    const to = { address: publicAddress, port: Number(port) };
    const round = ++rounds;
    await (await peer(stranger)).tell(to, `unasked ${round}`);
    await (await peer("carol")).tell(to, `asked ${round}`);
    const inside = await peer(name);
    await inside.heardFrom(`asked ${round}`);
    return inside.heard().some((line) => line.endsWith(`unasked ${round}`));
  };

  test.each([
    ["easy", "203.0.113.10"],
    ["cone", "203.0.113.12"],
    ["mapped", "203.0.114.13"],
    ["home", "203.0.113.18"],
  ])("%s: one public port for every destination, the machine's own", async (lan, publicAddress) => {
    expect(new Set(await observe(`in-${lan}`))).toEqual(new Set([`${publicAddress}:5000`]));
  });

  test.each([
    ["hard", "203.0.113.11"],
    ["phone", "203.0.113.19"],
  ])("%s: another public port for each destination, none the machine's own", async (lan, publicAddress) => {
    const seen = await observe(`in-${lan}`);
    expect(seen.map((endpoint) => endpoint.split(":")[0])).toEqual([publicAddress, publicAddress, publicAddress]);
    expect(new Set([...seen, `${publicAddress}:5000`]).size).toBe(4);
  });

  test.each(["easy", "hard", "mapped", "home"])("%s: lets in only who was sent to", async (lan) => {
    const [seenByCarol = ""] = await observe(`in-${lan}`);
    expect(await letsIn(`in-${lan}`, seenByCarol, "four")).toBe(false);
    // Port 5001 of a host that was sent to at port 5000.
    await lab().machine("dave").exec(sayFromOtherPort(seenByCarol, "other port"));
    await (await peer("carol")).tell(split(seenByCarol), "known port");
    await (await peer(`in-${lan}`)).heardFrom("known port");
    expect((await peer(`in-${lan}`)).heard().filter((line) => line.endsWith(" other port"))).toEqual([]);
  });

  test("two machines behind easy NATs, one also behind a carrier's, open the way for each other by sending", async () => {
    const [easy, home] = [await peer("in-easy"), await peer("in-home")];
    await easy.tell({ address: "203.0.113.18" }, "too early");
    await home.tell({ address: "203.0.113.10" }, "from home");
    expect(await easy.heardFrom("from home")).toBe("203.0.113.18:5000");
    await easy.tell({ address: "203.0.113.18" }, "from easy");
    expect(await home.heardFrom("from easy")).toBe("203.0.113.10:5000");
    expect(home.heard().filter((line) => line.endsWith("too early"))).toEqual([]);
  });

  test("a full-cone NAT lets in everybody, also before the machine has sent anything", async () => {
    await (await peer("four")).tell({ address: "203.0.113.12" }, "first word");
    expect(await (await peer("in-cone")).heardFrom("first word")).toBe(`${address("four")}:5000`);
  });

  test("a machine behind it answers a stranger from the port that the stranger knows", async () => {
    await (await peer("in-cone")).tell({ address: address("four") }, "reply");
    expect(await (await peer("four")).heardFrom("reply")).toBe("203.0.113.12:5000");
  });

  test("a blocked LAN has TCP to ports 443 and 8080, no UDP and no other TCP port", async () => {
    const blocked = lab().machine("in-blocked");
    await (await peer("in-blocked")).tell({ address: address("carol") }, "blocked");
    for (const [port, isOpen] of [
      [443, true],
      [8080, true],
      [80, false],
    ] as const) {
      const { exitCode } = await blocked
        .exec(["bash", "-c", `exec 3<>/dev/tcp/${address("carol")}/${port}`], {
          allowFailure: true,
          timeoutMs: 1_000,
        })
        .catch(() => ({ exitCode: null }));
      // Nothing listens there: refused at once is reached, silence is not.
      expect([port, exitCode === 1]).toEqual([port, isOpen]);
    }
    expect((await (await peer("carol")).heard()).filter((line) => line.endsWith(" blocked"))).toEqual([]);
  });

  test("a firewalled host hears answers, and strangers only where it has sent to them", async () => {
    const [walled, carol] = [await peer("walled"), await peer("carol")];
    await carol.tell({ address: WALLED }, "knock");
    await walled.tell({ address: address("dave") }, "hello");
    await (await peer("dave")).heardFrom("hello");
    await (await peer("dave")).tell({ address: WALLED }, "welcome");
    await walled.heardFrom("welcome");
    expect(walled.heard().map((line) => line.split(" ")[1])).toEqual(["welcome"]);
    expect(await ping(lab().machine("carol"), "walled", { family: 6, waitMs: 200 })).toMatchObject({ received: 0 });
    expect(await ping(lab().machine("walled"), "carol", { family: 6 })).toMatchObject({ received: 1 });
  });

  test("a machine without IPv4 reaches the control plane and others over IPv6 alone", async () => {
    const six = lab().machine("six");
    expect(six.ipv4).toBeNull();
    expect((await six.exec(["ip", "-4", "-brief", "address", "show", "dev", "eth0"])).stdout).not.toMatch(/\d\.\d/);
    for (const name of ["control", "carol", "stun"])
      expect(await ping(six, name, { family: 6 })).toMatchObject({ received: 1 });
    expect(await ping(six, "192.0.2.10")).toMatchObject({ received: 0 });
  });

  test.each(["nat-pmp", "pcp", "upnp"] as const)(
    "the mapped router opens a port when it is asked over %s, and closes it",
    async (protocol) => {
      const machine = lab().machine("in-mapped");
      const inside = await peer("in-mapped");
      const public_ = await requestMapping(machine, { protocol, internalPort: 5000, publicPort: 5600, seconds: 60 });
      expect(public_).toBe("203.0.114.13:5600");
      await (await peer("four")).tell({ address: "203.0.114.13", port: 5600 }, `through ${protocol}`);
      expect(await inside.heardFrom(`through ${protocol}`)).toBe(`${address("four")}:5000`);
      await requestMapping(machine, { protocol, internalPort: 5000, publicPort: 5600, seconds: 0 });
      await eventually(
        async () => !(await lab().node("mapped").exec(["nft", "list", "ruleset"])).stdout.includes("5600"),
        {
          withinMs: 20_000,
          describe: "the rule is gone",
        },
      );
    },
  );

  test("a router forgets a mapping after the time that its LAN says", async () => {
    const [inside, carol] = [await peer("in-forgetful"), await peer("carol")];
    const ask = async (text: string) => {
      await inside.tell({ address: address("carol") }, text);
      return split(await carol.heardFrom(text));
    };
    const seen = await ask("first question");
    await carol.tell(seen, "in time");
    await inside.heardFrom("in time");
    const mappings = async () => (await lab().node("forgetful").exec(["conntrack", "-L", "-p", "udp"])).stdout;
    await eventually(async () => !(await mappings()).includes("dport=5000"), {
      withinMs: 20_000,
      describe: "the mapping is gone",
    });
    await carol.tell(seen, "too late");
    await carol.tell(await ask("second question"), "in time again");
    await inside.heardFrom("in time again");
    expect(inside.heard().filter((line) => line.endsWith("too late"))).toEqual([]);
  });
});

function split(endpoint: string): { address: string; port: number } {
  const [address = "", port] = endpoint.split(":");
  return { address, port: Number(port) };
}

function sayFromOtherPort(endpoint: string, text: string): string[] {
  const { address, port } = split(endpoint);
  const script = `require("node:dgram").createSocket("udp4").bind(5001, function () { this.send("${text}", ${port}, "${address}", () => this.close()); })`;
  return [process.execPath, "-e", script];
}
