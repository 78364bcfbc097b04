// What a machine announces, with real WireGuard and real packets, as root.
//
//   member 10.1.0.2 ──bkt-a── machine 10.1.0.1 ──lan0── host   192.168.7.2  fd00:7::2   announced
//                                              ──lan1── other  172.16.9.2               not announced
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { Prefix } from "#schema/prefix";
import { createClock } from "../system/clock.ts";
import { silentLogger } from "../system/logger.ts";
import { deviceOf, peerOf } from "../testing/desired-devices.ts";
import { eventually } from "../testing/eventually.ts";
import { connectNamespaces, type Namespace, openNamespace, whyNoNamespaces } from "../testing/namespace.ts";
import { ensurePrivateKey } from "../wireguard/private-key.ts";
import type { AnnouncedNetwork, DesiredDevice } from "./desired-device.ts";
import { createReconciler } from "./reconciler.ts";

const lack = whyNoNamespaces();
const VIPS = ["10.1.0.3/32", "fd00:1::3/128"];
const networksOf = (isMasquerading: boolean): AnnouncedNetwork[] =>
  ["192.168.7.0/24", "fd00:7::/64"].map((prefix) => ({ prefix: prefix as Prefix, isMasquerading }));

describe.skipIf(lack !== null)(`what a machine announces${lack === null ? "" : ` (left out: ${lack})`}`, () => {
  let folder: string;
  let [member, machine, host, other]: Namespace[] = [];
  let device: DesiredDevice;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "becket-"));
    const made = await Promise.all([openNamespace(), openNamespace(), openNamespace(), openNamespace()]);
    [member, machine, host, other] = made;
    const joins = [
      [made[0], "192.0.2.2/24", "192.0.2.1/24", "wan0"],
      [made[2], "192.168.7.2/24", "192.168.7.1/24", "lan0"],
      [made[3], "172.16.9.2/24", "172.16.9.1/24", "lan1"],
    ] as const;
    for (const [end, address, own, name] of joins) {
      await connectNamespaces(end, address, made[1], own);
      await run(machine, `ip link set eth0 name ${name}`);
    }
    await run(machine, "ip address add fd00:7::1/64 dev lan0 nodad");
    await run(host, "ip address add fd00:7::2/64 dev eth0 nodad");
    await run(host, "ip route add 172.16.9.0/24 via 192.168.7.1");
    await run(other, "ip route add default via 172.16.9.1");
    const keys = await Promise.all(
      made.slice(0, 2).map(async (namespace, index) => {
        const privateKeyFile = path.join(folder, `key-${index}`);
        return { privateKeyFile, publicKey: await ensurePrivateKey(namespace.files, privateKeyFile) };
      }),
    );
    const [memberKey, machineKey] = keys as [(typeof keys)[0], (typeof keys)[0]];
    const atMember = deviceOf({ ...memberKey, addresses: ["10.1.0.2/16", "fd00:1::2/64"] });
    const asPeer = {
      ...peerOf("x", 1),
      publicKey: machineKey.publicKey,
      // What nobody keeps a member from: it gives the machine's key whatever it wants to reach.
      allowedIps: ["10.1.0.1/32", "fd00:1::1/128", ...VIPS, "192.168.7.0/24", "fd00:7::/64", "172.16.9.0/24"],
    };
    device = deviceOf({
      ...machineKey,
      peers: [{ ...peerOf("y", 2), publicKey: memberKey.publicKey, endpoint: "192.0.2.2:51820" as Endpoint }],
    });
    await bringTo(made[0], { ...atMember, peers: [{ ...asPeer, endpoint: "192.0.2.1:51820" as Endpoint }] });
    for (const prefix of ["192.168.7.0/24", "172.16.9.0/24", "fd00:7::/64"])
      await run(member, `ip ${prefix.includes(":") ? "-6 " : ""}route add ${prefix} dev bkt-a`);
    await bringTo(made[1], device);
    await eventually(async () => expect(await isReached(member, "10.1.0.1")).toBe(true), 15_000);
  });
  afterAll(async () => {
    await Promise.all([member, machine, host, other].map((namespace) => namespace?.close()));
    await rm(folder, { recursive: true });
  });

  /** As a freshly started agent would. */
  async function bringTo(namespace: Namespace | undefined, ...devices: DesiredDevice[]): Promise<void> {
    if (namespace === undefined) throw new Error("no namespace");
    const { exec, files } = namespace;
    const runDir = path.join(folder, `run-${namespace.pid}`);
    const reconciler = createReconciler({ exec, files, runDir, clock: createClock(), log: silentLogger });
    reconciler.setDesired(devices);
    await reconciler.whenSettled();
    const failures = [...reconciler.state().meshes.values()].flatMap((mesh) => mesh.failures);
    await reconciler.stop();
    expect(failures).toEqual([]);
  }

  const giveWayBack = async () => {
    await run(host, "ip route replace 10.1.0.0/16 via 192.168.7.1");
    await run(host, "ip route replace fd00:1::/64 via fd00:7::1");
  };
  const read = async (namespace: Namespace | undefined, command: string) => (await run(namespace, command)) ?? "";
  const readForwarding = () => read(machine, "sysctl -n net.ipv4.conf.lan0.forwarding net.ipv4.conf.lan1.forwarding");

  it("is reached at the VIPs that it holds, and goes on speaking from its own addresses", async () => {
    await bringTo(machine, { ...device, addresses: [...device.addresses, ...VIPS] });
    expect([await isReached(member, "10.1.0.3"), await isReached(member, "fd00:1::3")]).toEqual([true, true]);
    expect(await read(machine, "ip route get 10.1.0.2")).toContain("src 10.1.0.1 ");
    // Without anything else fd00:1::3 would be chosen for fd00:1::2: more of their bits are the same (RFC 6724, rule 8).
    expect(await read(machine, "ip route get fd00:1::2")).toContain("src fd00:1::1 ");

    const before = await read(machine, "ip -o address show dev bkt-a");
    await bringTo(machine, { ...device, addresses: [...device.addresses, ...VIPS] });
    expect(await read(machine, "ip -o address show dev bkt-a")).toBe(before);

    await bringTo(machine, device);
    expect(await read(machine, "ip -o address show dev bkt-a")).not.toMatch(/10\.1\.0\.3|fd00:1::3/);
    expect(await isReached(member, "10.1.0.1")).toBe(true);
  });

  it("leads into a network that has no way back, from its own address there", async () => {
    expect(await isReached(member, "192.168.7.2")).toBe(false);
    await bringTo(machine, { ...device, networks: networksOf(true) });
    expect(await isReached(member, "192.168.7.2")).toBe(true);
    if (await canForwardIpv6()) expect(await isReached(member, "fd00:7::2")).toBe(true);
  });

  it("leads into a network that has one with the member's own address, and from there into the mesh", async () => {
    await bringTo(machine, { ...device, networks: networksOf(false) });
    expect(await isReached(member, "192.168.7.2")).toBe(false);

    await giveWayBack();
    expect([await isReached(member, "192.168.7.2"), await isReached(host, "10.1.0.2")]).toEqual([true, true]);
    if (await canForwardIpv6())
      expect([await isReached(member, "fd00:7::2"), await isReached(host, "fd00:1::2")]).toEqual([true, true]);
  });

  it("leads nowhere else: neither the mesh to other networks, nor one network to another", async () => {
    await giveWayBack();
    await bringTo(machine, { ...device, networks: networksOf(false) });
    expect(await readForwarding()).toBe("1\n0\n");
    // So that an answer shows what got through.
    await run(machine, "sysctl -q -w net.ipv4.conf.lan1.forwarding=1");
    const reached = async () => [await isReached(member, "172.16.9.2"), await isReached(host, "172.16.9.2")];
    expect(await reached()).toEqual([false, false]);

    const readRules = async () => (await read(machine, "nft list table inet becket")).split("\n").sort();
    const rules = await readRules();
    await run(machine, "nft flush table inet becket");
    expect(await reached()).toEqual([true, true]);
    await run(machine, "sysctl -q -w net.ipv4.conf.lan1.forwarding=0");
    await bringTo(machine, { ...device, networks: networksOf(false) });
    expect(await readRules()).toEqual(rules);
  });

  it("lets TCP know how small packets through the mesh have to be", async () => {
    // The member's own interface takes larger ones: only what it is told keeps its segments small.
    await bringTo(machine, { ...device, networks: networksOf(true), mtuBytes: 1_300 });
    const server = await serveTcp(host, 8_080);
    const client = await connectTcp(member, "192.168.7.2", 8_080);
    // 20 bytes of IPv4, 20 of TCP, 12 of its timestamps. Of its own interface's 1,420 bytes it would be 1,368.
    expect(await read(member, "ss -tinH dst 192.168.7.2")).toMatch(/ mss:1248 /);
    for (const program of [client, server]) program.kill("SIGKILL");
  });

  it("leaves everything as it was when it announces nothing any more", async () => {
    await giveWayBack();
    await bringTo(machine, { ...device, networks: networksOf(true) });
    await bringTo(machine, device);
    expect(await readForwarding()).toBe("0\n0\n");
    expect(await read(machine, "nft list ruleset")).not.toContain("chain");
    expect(await isReached(member, "192.168.7.2")).toBe(false);
  });

  /** From Linux 6.17 on one interface can do so by itself. */
  const canForwardIpv6 = () =>
    run(machine, "sysctl -n net.ipv6.conf.lan0.force_forwarding").then(
      () => true,
      () => false,
    );
});

function isReached(from: Namespace | undefined, address: string): Promise<boolean> {
  return run(from, `ping -c 1 -W 1 ${address}`).then(
    () => true,
    () => false,
  );
}

async function run(namespace: Namespace | undefined, command: string): Promise<string | undefined> {
  const [program = "", ...args] = command.split(" ");
  return (await namespace?.exec.run([program, ...args]))?.stdout;
}

const serveTcp = (namespace: Namespace | undefined, port: number) =>
  runScript(namespace, `require("net").createServer(() => {}).listen(${port}, () => console.log("ready"))`);

const connectTcp = (namespace: Namespace | undefined, address: string, port: number) =>
  runScript(namespace, `require("net").connect(${port}, "${address}", () => console.log("ready"))`);

async function runScript(namespace: Namespace | undefined, script: string) {
  if (namespace === undefined) throw new Error("no namespace");
  const [program, ...args] = namespace.enter;
  const child = spawn(program, [...args, process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}
