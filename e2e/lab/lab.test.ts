import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { createLab } from "./lab.ts";
import { eventually } from "./probes/eventually.ts";
import { ping, startPing } from "./probes/ping.ts";
import { findLabProcesses } from "./system/proc.ts";
import { startUdpPeer } from "./testing/start-udp-peer.ts";
import { useLab } from "./testing/use-lab.ts";

const TOPOLOGY = {
  lans: [
    { name: "home", ipv4: "192.168.1.0/24" },
    { name: "office", ipv4: "192.168.1.0/24", ipv6: "global" as const },
  ],
  machines: [
    { name: "alice", lan: "home" },
    { name: "bob", lan: "home" },
    { name: "oscar", lan: "office" },
    { name: "carol" },
    { name: "dave" },
  ],
};
const ECHO_SERVER = path.join(import.meta.dirname, "testing/echo-server.ts");

describe("a network of two LANs behind easy NATs and two public machines", () => {
  const lab = useLab(TOPOLOGY);

  test.each([
    ["alice", "bob", 4],
    ["alice", "carol", 4],
    ["oscar", "carol", 4],
    ["carol", "dave", 4],
    ["carol", "control", 4],
    ["carol", "dave", 6],
    ["oscar", "dave", 6],
    ["alice", "control", 4],
  ] as const)("%s reaches %s over IPv%i by its name", async (from, to, family) => {
    expect(await ping(lab().machine(from), to, { family })).toMatchObject({ sent: 1, lost: 0 });
  });

  test("a machine on a LAN without IPv6 reaches nobody over IPv6", async () => {
    expect(await ping(lab().machine("alice"), "2001:db8:2::a")).toMatchObject({ received: 0, lost: 1 });
  });

  test("a NAT's own public address answers nobody, and packets for its LAN are dropped there", async () => {
    const { internet } = lab();
    await internet.exec(["ip", "route", "add", "192.168.1.0/24", "via", "203.0.113.10", "dev", "home", "onlink"]);
    expect(await ping(lab().machine("carol"), "203.0.113.10")).toMatchObject({ received: 0 });
    expect(await ping(lab().machine("carol"), "192.168.1.10")).toMatchObject({ received: 0 });
    await internet.exec(["ip", "route", "del", "192.168.1.0/24"]);
  });

  test("a router's firewall drops what comes unasked over IPv6", async () => {
    const oscar = lab().machine("oscar");
    expect(await ping(lab().machine("carol"), oscar.ipv6 ?? "")).toMatchObject({ received: 0 });
    expect(await ping(oscar, "carol", { family: 6 })).toMatchObject({ received: 1 });
  });

  test("an easy NAT keeps the port and lets in answers from the address and port that was asked, nothing else", async () => {
    const [alice, carol, dave] = await Promise.all([
      startUdpPeer(lab().machine("alice")),
      startUdpPeer(lab().machine("carol")),
      startUdpPeer(lab().machine("dave")),
    ]);
    await alice.tell({ address: "198.51.100.10" }, "question");
    expect(await carol.heardFrom("question")).toBe("203.0.113.10:5000");
    await dave.tell({ address: "203.0.113.10" }, "unasked");
    await carol.tell({ address: "203.0.113.10" }, "answer");
    expect(await alice.heardFrom("answer")).toBe("198.51.100.10:5000");
    expect(alice.heard()).toEqual(["198.51.100.10:5000 answer"]);
  });

  test("each machine has its own host name, /var/lib/becket, /run/becket and /run/wireguard", async () => {
    const [alice, bob] = [lab().machine("alice"), lab().machine("bob")];
    expect((await alice.exec(["hostname"])).stdout).toBe("alice\n");
    for (const folder of ["/var/lib/becket", "/run/becket", "/run/wireguard"]) {
      await alice.exec(["tee", `${folder}/probe-of-alice`], { input: "hers" });
      expect((await bob.exec(["ls", folder])).stdout).toBe("");
      expect(existsSync(`${folder}/probe-of-alice`)).toBe(false);
    }
    expect(readFileSync(path.join(alice.files.varLib, "probe-of-alice"), "utf8")).toBe("hers");
    writeFileSync(path.join(alice.files.run, "from-host"), "ours");
    expect((await alice.exec(["cat", "/run/becket/from-host"])).stdout).toBe("ours");
  });

  test("two machines can have a WireGuard device of the same name", async () => {
    for (const name of ["alice", "bob"]) {
      await lab().machine(name).exec(["wireguard-go", "wg0"]);
      expect((await lab().machine(name).exec(["wg", "show", "interfaces"])).stdout).toBe("wg0\n");
    }
  });

  test("a cut link loses packets and a mended one none, over both families and on LANs too", async () => {
    const [alice, carol, dave] = [lab().machine("alice"), lab().machine("carol"), lab().machine("dave")];
    for (const name of ["dave", "home"]) {
      await lab().setLink(name, "down");
      expect(await ping(alice, "dave", { waitMs: 200 })).toMatchObject({ received: 0 });
      await lab().setLink(name, "up");
      await eventually(async () => (await ping(alice, "dave")).received === 1, {
        withinMs: 20_000,
        describe: `${name} is back`,
      });
    }
    await eventually(async () => (await ping(carol, dave.ipv6 ?? "")).received === 1, {
      withinMs: 20_000,
      describe: "IPv6 is back",
    });
    await lab().setLink("bob", "down");
    expect(await ping(alice, "bob", { waitMs: 200 })).toMatchObject({ received: 0 });
    await lab().setLink("bob", "up");
    await eventually(async () => (await ping(alice, "bob")).received === 1, {
      withinMs: 20_000,
      describe: "bob is back",
    });
  });

  test("a running ping counts exactly: nothing lost on a good path, what a cut swallowed on a bad one", async () => {
    const good = await startPing(lab().machine("alice"), "carol");
    const bad = await startPing(lab().machine("carol"), "dave");
    await eventually(() => bad.received() >= 5 && good.received() >= 5, { withinMs: 20_000, describe: "pings flow" });
    await lab().setLink("dave", "down");
    await eventually(() => good.received() >= 20, { withinMs: 20_000, describe: "some time has passed" });
    await lab().setLink("dave", "up");
    const [goodResult, badResult] = [await good.stop(), await bad.stop()];
    expect(goodResult.lost).toBe(0);
    expect(goodResult.sent).toBeGreaterThanOrEqual(20);
    expect(badResult.lost).toBeGreaterThanOrEqual(5);
    expect(badResult.sent).toBe(badResult.received + badResult.lost);
  });

  test("a machine moves to another address, public or on its LAN", async () => {
    for (const [name, watcher] of [
      ["dave", "carol"],
      ["bob", "alice"],
    ] as const) {
      const old = lab().machine(name).ipv4;
      const now = await lab().changeAddress(name);
      expect(lab().machine(name).ipv4).toBe(now);
      expect(await ping(lab().machine(watcher), now)).toMatchObject({ received: 1 });
      expect(await ping(lab().machine(watcher), old ?? "", { waitMs: 200 })).toMatchObject({ received: 0 });
      expect(await ping(lab().machine(name), "192.0.2.10")).toMatchObject({ received: 1 });
    }
  });

  test("a port of the host leads to a TCP port inside, with half-closed connections", async () => {
    const server = await lab().control.spawn([process.execPath, ECHO_SERVER, "8080"]);
    await eventually(() => readFileSync(server.logFile, "utf8").includes("listening"), {
      withinMs: 20_000,
      describe: "it listens",
    });
    const forward = await lab().forward({ port: 8080 });
    const sent = "0123456789abcdef".repeat(65_536);
    const socket = connect({ port: forward.port, host: "127.0.0.1" });
    socket.end(sent);
    expect(await text(socket)).toBe(sent);
    await forward.close();
    const refused = await new Promise((resolve) =>
      connect({ port: forward.port, host: "127.0.0.1" }).once("error", resolve),
    );
    expect(refused).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a program can be stopped, with force when it does not listen", async () => {
    const polite = await lab().control.spawn(["sleep", "infinity"]);
    expect(await polite.stop()).toEqual({ exitCode: null, signal: "SIGTERM" });
    const deaf = await lab().control.spawn(["bash", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
    await eventually(() => readFileSync(deaf.logFile, "utf8").includes("ready"), {
      withinMs: 20_000,
      describe: "it is deaf",
    });
    expect(await deaf.stop({ graceMs: 100 })).toEqual({ exitCode: null, signal: "SIGKILL" });
    expect(deaf.isRunning()).toBe(false);
  });

  test("diagnostics show addresses, routes, WireGuard and logs", async () => {
    const talker = await lab().control.spawn(["echo", "last words"]);
    await talker.exited;
    const diagnostics = await lab().diagnostics();
    for (const part of [
      "=== alice (machine)",
      "192.168.1.10/24",
      "default via 192.0.2.1",
      "interface: wg0",
      "last words",
    ])
      expect(diagnostics).toContain(part);
  });
});

test("two labs of the same topology live side by side, and one leaves without trace or harm to the other", async () => {
  const topology = { lans: [{ name: "home" }], machines: [{ name: "alice", lan: "home" }, { name: "carol" }] };
  const [first, second] = await Promise.all([createLab({ topology }), createLab({ topology })]);
  await using _second = second;
  try {
    expect(first.machine("carol").ipv4).toBe(second.machine("carol").ipv4);
    await first.machine("alice").exec(["wireguard-go", "wg0"]);
    await second.machine("alice").exec(["wireguard-go", "wg0"]);
  } finally {
    await first.down();
  }
  expect(existsSync(first.folder)).toBe(false);
  expect(findLabProcesses(first.id, first.folder)).toEqual([]);
  expect(await ping(second.machine("alice"), "carol")).toMatchObject({ received: 1 });
  expect((await second.machine("alice").exec(["ls", "/var/lib/becket", "/run/wireguard"])).stdout).toContain(
    "wg0.sock",
  );
});
