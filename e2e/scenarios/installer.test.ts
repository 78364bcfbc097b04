// alice, bob on one LAN. alice is a Debian 12 with systemd and nothing of ours: she gets the agent by the one line, bob's is started as ever.
import { expect, it } from "vitest";
import { type Fleet, withFleet } from "../fleet/fleet.ts";
import { pingOnce } from "../fleet/reach.ts";
import { rollOut } from "../fleet/roll-out.ts";
import { oneLan } from "../fleet/topologies.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";
import { listTree } from "../systemd/list-files.ts";
import { startNodeMirror } from "../systemd/node-mirror.ts";
import { runLine } from "../systemd/run-line.ts";
import { type SystemdMachine, startSystemdMachine } from "../systemd/systemd-machine.ts";

/** The first run makes the Debian; the others take less than a minute. */
const LIMIT_MS = 900_000;
const BUNDLE = "/usr/local/lib/becket/becket.mjs";
const NETWORK = "192.168.77.0/24";

it("the one line installs, upgrades without losing a packet, and removes all of it", {
  timeout: LIMIT_MS,
}, async () => {
  await withFleet(oneLan, async (fleet, mesh) => {
    const [node, bob] = fleet.lab.machines;
    if (node === undefined || bob === undefined) throw new Error("the topology has two machines");
    const { token } = await fleet.api.createJoinToken();
    await fleet.agent(bob.name).up({ token });
    const mirror = await startNodeMirror(fleet.lab);
    await using alice = await startSystemdMachine(node);
    await alice.sh("mkdir -p /run/systemd/resolve /var/lib/lxd && touch /var/lib/lxd/unix.socket");
    const before = listTree(alice.folder);

    const installed = await runLine(fleet, alice, { ...mirror, BECKET_TOKEN: token, BECKET_ALLOW_UPGRADES: "yes" });
    await fleet.untilConnected(mesh.id);
    const { stdout: traces } = await alice.sh("journalctl --no-pager; cat /proc/[0-9]*/cmdline; ls /var/lib/becket");
    expect(installed.stdout + installed.stderr + traces).not.toContain(token);
    expect(traces).not.toContain("join.env");
    await expectLittlePower(alice);
    await expectBox(alice);
    await expectRoutes(fleet, { alice, node, bob, meshId: mesh.id });

    const address = (await fleet.addresses(mesh.id)).get(node.name)?.ipv4 ?? "";
    await fleet.controlPlane.stop();
    await alice.reboot();
    await eventually(() => pingOnce(bob, address, { timeoutMs: 1_000 }), {
      withinMs: 30_000,
      describe: "alice is back in her mesh without a control plane",
    });
    await fleet.controlPlane.start();
    await fleet.untilConnected(mesh.id);

    const upgraded = await upgradeUnderPing({ fleet, alice, bob, address }, () => runLine(fleet, alice));
    expect(upgraded.stdout).toMatch(
      /has joined .* before[\s\S]*\+ write \/usr\/local\/lib\/becket\/becket.mjs[\s\S]*Done\./,
    );
    await upgradeUnderPing({ fleet, alice, bob, address }, async () => {
      // The machine has the last word, also after the agent has told that it may.
      await alice.sh("sed -i s/BECKET_ALLOW_UPGRADES=yes/BECKET_ALLOW_UPGRADES=no/ /etc/default/becket");
      expect(await rollOut(fleet)).toMatchObject([
        {
          state: "failed",
          detail: expect.stringMatching(/does not allow upgrades.*What to do: .*BECKET_ALLOW_UPGRADES=yes/),
        },
      ]);
      expect((await alice.sh(`cat ${BUNDLE}`)).stdout).toContain("// earlier");
      await alice.sh("sed -i s/BECKET_ALLOW_UPGRADES=no/BECKET_ALLOW_UPGRADES=yes/ /etc/default/becket");
      expect(await rollOut(fleet)).toMatchObject([{ state: "done", detail: null }]);
    });
    // The agent is back before the script has seen that it works, and tidied up.
    const hasEnded = async () =>
      (await alice.sh("systemctl show becket-upgrade -p ActiveState; cat /usr/local/lib/becket/upgrade.result")).stdout;
    await eventually(async () => /=inactive\nrol_\w+ ok\n$/.test(await hasEnded()), {
      withinMs: 30_000,
      describe: "install.sh has ended well",
    });
    const { stdout: said } = await alice.sh("journalctl --no-pager -u becket-upgrade; ls -A /var/lib/becket");
    expect(said).toContain("write /usr/local/lib/becket/becket.mjs");
    expect(said).not.toContain("upgrade.wanted");
    expect((await runLine(fleet, alice)).stdout).toContain("The agent runs, and nothing changed.");

    await alice.sh("sh /usr/local/lib/becket/install.sh --uninstall", { timeoutMs: 120_000 });
    expect(listTree(alice.folder)).toEqual(before);
    expect((await node.exec(["sh", "-c", "ip -o link; nft list tables"])).stdout).not.toMatch(/bkt-|becket/);
    const { stdout: left } = await alice.sh("ls -A /run /run/wireguard 2>/dev/null; cat /proc/[0-9]*/comm");
    expect(left.split("\n").filter((name) => /becket|wireguard|bird|^node$/.test(name))).toEqual([]);
    expect((await alice.sh("systemctl --failed --no-legend")).stdout).toBe("");
  });
});

interface Upgrading {
  readonly fleet: Fleet;
  readonly alice: SystemdMachine;
  readonly bob: LabNode;
  readonly address: string;
}

/** Alice runs an earlier agent, and `upgrade` changes that while bob pings her. */
async function upgradeUnderPing<T>({ fleet, alice, bob, address }: Upgrading, upgrade: () => Promise<T>): Promise<T> {
  // An agent of other content is an earlier one.
  await alice.sh(`echo '// earlier' >>${BUNDLE} && systemctl restart becket`);
  const isOlder = async () => (await fleet.api.listMachines()).some(({ upToDate }) => upToDate === false);
  await eventually(isOlder, { withinMs: 30_000, describe: "the control plane sees that alice's agent is another one" });
  const processes = await readWorkers(alice);
  const running = await startPing(bob, address, { intervalMs: 20 });
  const upgraded = await upgrade();
  const pings = await running.stop();
  expect(pings).toMatchObject({ lost: 0 });
  expect(pings.received).toBeGreaterThan(50);
  expect((await alice.sh(`cat ${BUNDLE}`)).stdout).not.toContain("// earlier");
  expect(processes).toMatch(/proc.*\n.*proc/);
  expect(await readWorkers(alice)).toBe(processes);
  return upgraded;
}

async function expectLittlePower(machine: SystemdMachine): Promise<void> {
  const { stdout } = await machine.exec(["systemd-analyze", "security", "--no-pager", "becket.service"]);
  const score = Number(/Overall exposure level for becket.service: ([\d.]+)/.exec(stdout)?.[1]);
  expect(score, stdout).toBeLessThanOrEqual(3);
  // A package's own BIRD would serve port 179 to everybody.
  expect((await machine.sh("systemctl is-enabled bird; systemctl is-active bird; true")).stdout).toBe(
    "disabled\ninactive\n",
  );
  const { stdout: properties } = await machine.sh("systemctl show becket -p ActiveState,SubState,Type,NRestarts");
  expect(properties.trim().split("\n").sort()).toEqual([
    "ActiveState=active",
    "NRestarts=0",
    "SubState=running",
    "Type=notify",
  ]);
}

/** As a program that the agent starts. Each road that is closed in the box is open outside of it. */
async function expectBox(machine: SystemdMachine): Promise<void> {
  const { stdout: pid } = await machine.sh("systemctl show becket --value -p MainPID");
  const inBox = (line: string) =>
    machine.exec(
      [
        ...["nsenter", `--target=${pid.trim()}`, "--mount", "setpriv", "--no-new-privs"],
        ...["--bounding-set=-all,+net_admin,+net_raw,+net_bind_service", "sh", "-c", line],
      ],
      { allowFailure: true },
    );
  await machine.sh("touch /run/docker.sock");
  const roads = [
    "systemd-run --wait true",
    "systemctl show --property=Version",
    "ls /proc/1/root/run/systemd/private",
    "ls /run/docker.sock",
    "ls /var/lib/lxd/unix.socket",
    "mount -t tmpfs tmpfs /mnt && umount /mnt",
    "touch /etc/written && rm /etc/written",
    "touch /run/written && rm /run/written",
  ];
  for (const road of roads) {
    await machine.sh(road);
    expect([road, (await inBox(road)).exitCode]).not.toEqual([road, 0]);
  }
  // What resolv.conf leads to is a file that is replaced.
  await machine.sh(
    "echo 'nameserver 192.0.2.1' >/run/systemd/resolve/new; mv /run/systemd/resolve/new /run/systemd/resolve/resolv.conf",
  );
  const { stdout } = await inBox(
    "ls -A /run /run/systemd; cat /run/systemd/resolve/resolv.conf; touch /run/becket/w && rm /run/becket/w && echo ok",
  );
  expect(stdout).toBe(
    "/run:\nbecket\nsystemd\nwireguard\n\n/run/systemd:\nincoming\njournal\nnotify\nresolve\nnameserver 192.0.2.1\nok\n",
  );
}

interface Pair {
  readonly alice: SystemdMachine;
  readonly node: LabNode;
  readonly bob: LabNode;
  readonly meshId: string;
}

/** BIRD, packet rules and forwarding work in the box, too. */
async function expectRoutes(fleet: Fleet, { alice, node, bob, meshId }: Pair): Promise<void> {
  await alice.sh(`ip link add lan0 type bridge && ip address add 192.168.77.1/24 dev lan0 && ip link set lan0 up`);
  const machine = (await fleet.api.listMachines()).find(({ name }) => name === node.name);
  const route = { name: "warehouse", prefixes: [NETWORK], machineIds: [machine?.id], isMasquerading: true };
  await fleet.api.call("POST", `/meshes/${meshId}/routes`, route);
  const isThere = async () => (await bob.exec(["ip", "route", "show", NETWORK])).stdout.includes("bird");
  await eventually(isThere, { withinMs: 30_000, describe: "bob has alice's network" });
  const { stdout } = await alice.sh("cat /proc/sys/net/ipv4/conf/bkt-*/forwarding; nft list table inet becket");
  expect(stdout).toMatch(/^1\n/);
  expect(stdout).toContain("masquerade");
  const status = JSON.parse((await alice.exec(["becket", "status", "--json"])).stdout);
  expect(status.failures ?? []).toEqual([]);
}

/** What carries tunnels and routes, by process id. */
const readWorkers = async (machine: SystemdMachine): Promise<string> =>
  (
    await machine.sh(
      "for p in /proc/[0-9]*; do grep -aqE '^(wireguard-go|bird)' $p/cmdline 2>/dev/null && echo $p; done; true",
    )
  ).stdout;
