// box, a Debian 12 with systemd: the control plane on one box as docs/operations.md has it, by the unit in docs/examples.
import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { createLab } from "../lab/lab.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { run } from "../lab/system/exec.ts";
import { type SystemdMachine, startSystemdMachine } from "../systemd/systemd-machine.ts";

/** The first run makes the Debian. */
const LIMIT_MS = 900_000;
const BUILD_LIMIT_MS = 180_000;
const BACK_MS = 60_000;
const UNIT = "becket-control-plane.service";
const ORIGIN = "https://becket.example.org";
const STATE = "/var/lib/becket-control";
const repository = path.resolve(import.meta.dirname, "../..");

it("the control plane's unit starts with little power, and brings everything back after a kill and a reboot", {
  timeout: LIMIT_MS,
}, async () => {
  await using lab = await createLab({ topology: { machines: [{ name: "box" }] } });
  await using box = await startSystemdMachine(lab.machine("box"), {
    shared: { "/opt/becket/node_modules": path.join(repository, "node_modules") },
  });
  try {
    await installSources(box);
    await box.sh(
      [
        "set -e",
        "cd /opt/becket",
        "node_modules/.bin/node embedded/build-worker.ts build/embedded",
        "useradd --system --no-create-home becket-control",
        `echo BECKET_ORIGIN=${ORIGIN} | install -m 600 /dev/stdin /etc/default/becket-control-plane`,
        "cp docs/examples/becket-control-plane.service /etc/systemd/system/",
        "systemctl enable --quiet --now becket-control-plane",
      ].join("\n"),
      { timeoutMs: BUILD_LIMIT_MS },
    );
    // systemctl has waited until it answers: one attempt.
    const created = JSON.parse(await call(box, "POST", '{"name":"office","cidr":"10.77.0.0/16"}')) as { id: string };
    expect(created.id).toMatch(/^msh_/);
    // Machines are told to join where the settings say, whatever name it was asked by.
    expect((await box.sh("curl -fsS http://127.0.0.1:8787/install.sh")).stdout).toContain(ORIGIN);
    await expectLittlePower(box);
    expect((await box.sh(`stat -c '%a %U' ${STATE} ${STATE}/owner-token`)).stdout).toBe(
      "700 becket-control\n600 becket-control\n",
    );
    // The token was printed at the first start, to nobody.
    const { stdout: token } = await box.sh(`cat ${STATE}/owner-token`);
    expect((await box.sh("journalctl --no-pager")).stdout).not.toContain(token.trim());

    const meshes = async () => (await call(box, "GET")).includes(created.id);
    await box.sh(`systemctl kill --kill-whom=main --signal=KILL ${UNIT}`);
    await eventually(meshes, { withinMs: BACK_MS, describe: "it is back after a SIGKILL, with the mesh" });
    await box.reboot();
    await eventually(meshes, { withinMs: BACK_MS, describe: "it is back after a reboot, with the mesh" });
    await box.sh(`systemctl restart ${UNIT}`, { timeoutMs: BACK_MS });
    expect(await meshes()).toBe(true);
    expect((await box.sh("systemctl --failed --no-legend")).stdout).toBe("");
  } catch (error) {
    const { stdout } = await box.sh(`journalctl --no-pager -n 60 -u ${UNIT}`);
    throw new Error(`${String(error)}\n${stdout}`, { cause: error });
  }
});

/** As a clone has them; packages are this checkout's own. */
async function installSources(box: SystemdMachine): Promise<void> {
  const { stdout } = await run(["git", "-C", repository, "ls-files", "-z"]);
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    const target = path.join(box.folder, "opt/becket", file);
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(path.join(repository, file), target, { preserveTimestamps: true });
  }
}

async function call(box: SystemdMachine, method: "GET" | "POST", body?: string): Promise<string> {
  const data = body === undefined ? "" : `-H 'content-type: application/json' --data '${body}'`;
  const authorization = `"authorization: Bearer $(cat ${STATE}/owner-token)"`;
  const line = `curl -fsS -X ${method} -H ${authorization} ${data} http://127.0.0.1:8787/api/v1/meshes`;
  return (await box.sh(line)).stdout;
}

async function expectLittlePower(box: SystemdMachine): Promise<void> {
  const { stdout } = await box.exec(["systemd-analyze", "security", "--no-pager", UNIT]);
  const score = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  expect(score, stdout).toBeLessThanOrEqual(3);
  const { stdout: properties } = await box.sh(`systemctl show ${UNIT} -p ActiveState,SubState,Type,NRestarts,User`);
  expect(properties.trim().split("\n").sort()).toEqual([
    "ActiveState=active",
    "NRestarts=0",
    "SubState=running",
    "Type=notify",
    "User=becket-control",
  ]);
}
