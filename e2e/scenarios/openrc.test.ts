// alice on a LAN, a Debian 12 with OpenRC: its real supervise-daemon runs the agent, which starts again whatever ends.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { rollOut } from "../fleet/roll-out.ts";
import { oneLan } from "../fleet/topologies.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { listTree } from "../systemd/list-files.ts";
import { startNodeMirror } from "../systemd/node-mirror.ts";
import { OPENRC } from "../systemd/openrc.ts";
import { runLine } from "../systemd/run-line.ts";
import { type SystemdMachine, startSystemdMachine } from "../systemd/systemd-machine.ts";

/** The first run makes the Debian. */
const LIMIT_MS = 900_000;
const BUNDLE = "/usr/local/lib/becket/becket.mjs";
const SOON = { withinMs: 30_000 };

it("under OpenRC the agent is started again after a crash, and not when a person is wanted; the token stays nowhere", {
  timeout: LIMIT_MS,
}, async () => {
  await withFleet(oneLan, async (fleet) => {
    const [node] = fleet.lab.machines;
    if (node === undefined) throw new Error("the topology has machines");
    const { token } = await fleet.api.createJoinToken({ maxUses: 5 });
    const mirror = await startNodeMirror(fleet.lab);
    await using alice = await startSystemdMachine(node, { serviceManager: OPENRC });
    const before = listTree(alice.folder);
    const machines = () => fleet.api.listMachines();
    const isOnline = async () => (await machines()).some(({ name, online }) => name === node.name && online);

    const settings = { BECKET_ALLOW_UPGRADES: "yes", BECKET_LOG_LEVEL: "debug" };
    const { stdout } = await runLine(fleet, alice, { ...mirror, ...settings, BECKET_TOKEN: token });
    expect(stdout).toContain("Done. The agent is a service (tail /var/log/becket.log)");
    await eventually(isOnline, { ...SOON, describe: "alice is online" });
    const { stdout: traces } = await alice.sh(
      "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /var/log/*; ls /var/lib/becket",
    );
    expect(traces).not.toContain(token);
    expect(traces).not.toMatch(/join\.(env|token)\n/);
    expect(await readEnvironment(alice, "becket.mjs")).toContain("BECKET_LOG_LEVEL=debug");
    expect(await readEnvironment(alice, "supervise-daemon")).not.toContain("BECKET_");

    const first = await findAgent(alice);
    await alice.sh(`kill -KILL ${first}`);
    const hasAnother = async () => ![first, ""].includes(await findAgent(alice));
    await eventually(hasAnother, { ...SOON, describe: "the agent was started again after a crash" });

    await alice.sh(`echo '// earlier' >>${BUNDLE} && rc-service --quiet becket restart`);
    const isOlder = async () => (await machines()).some(({ upToDate }) => upToDate === false);
    await eventually(isOlder, { ...SOON, describe: "the control plane sees that alice's agent is another one" });
    expect(await rollOut(fleet)).toMatchObject([{ state: "done", detail: null }]);
    const hasEnded = async () => /Done\./.test((await alice.sh("cat /var/log/becket-upgrade.log")).stdout);
    await eventually(hasEnded, { ...SOON, describe: "install.sh has ended" });

    await alice.sh("becket down");
    await untilStopped(alice);
    await alice.sh("rc-service --quiet becket start");
    await eventually(isOnline, { ...SOON, describe: "alice is online again" });
    const [machine] = await machines();
    await fleet.api.call("DELETE", `/machines/${machine?.id}`);
    await untilStopped(alice);
    // It knows of no control plane now, and has no token.
    await alice.sh("rc-service --quiet becket start");
    await untilStopped(alice);
    expect(await machines()).toEqual([]);

    await alice.sh("sh /usr/local/lib/becket/install.sh --uninstall", { timeoutMs: 120_000 });
    expect(listTree(alice.folder)).toEqual(before);
    expect((await alice.sh("ls /var/log; cat /proc/[0-9]*/comm")).stdout).not.toMatch(
      /becket|supervise|wireguard|bird|^node$/m,
    );
  });
});

/** Nobody is left who could start it again. */
async function untilStopped(machine: SystemdMachine): Promise<void> {
  const look = async () => {
    const { stdout } = await machine.sh("rc-service becket status 2>&1; cat /proc/[0-9]*/comm");
    if (!/status: stopped/.test(stdout) || /supervise|supervised/.test(stdout)) throw new Error(stdout);
    return true;
  };
  await eventually(look, { ...SOON, describe: "the service has stopped" });
}

const findAgent = async (machine: SystemdMachine): Promise<string> =>
  (await machine.sh("pgrep -f '[b]ecket.mjs up' || true")).stdout.trim();

const readEnvironment = async (machine: SystemdMachine, program: string): Promise<string> =>
  (await machine.sh(`tr '\\0' '\\n' </proc/$(pgrep -o -f ${program})/environ`)).stdout;
