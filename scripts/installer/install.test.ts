// install.sh under dash and busybox's sh, on machines of stubs: which commands it would run, in which order, and what it leaves. That these commands
// do what they should is shown by the scenario `installer` on Debian; for Fedora and Alpine it is not shown here.
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hasProgram, toPath } from "./testing/host-programs.ts";
import { createStubMachine } from "./testing/stub-machine.ts";
import { BUSY_MS, JOIN, NO_PACKAGER, NO_SERVICES, ORIGIN, SHELLS_HERE, TOKEN } from "./testing/stub-systems.ts";

const APT = "apt-get -q -y -o DPkg::Lock::Timeout=300";
const changes = (calls: string[]) =>
  calls.filter((call) => !/^(curl|becket|apt-cache)|policy|repoquery|is-active|^apt-get .*-s /.test(call));
const downloads = (calls: string[]) => calls.filter((call) => call.startsWith("curl"));

it.runIf(hasProgram("shellcheck"))("has nothing in it that shellcheck objects to", { timeout: BUSY_MS }, () => {
  const script = createStubMachine("dash", "debian13").script();
  const service = script.split("'OPENRC_SERVICE'\n")[1]?.split("\nOPENRC_SERVICE\n")[0] ?? "";
  expect(service).toContain("#!/sbin/openrc-run");
  const supervised = script.split("'OPENRC_SUPERVISED'\n")[1]?.split("\nOPENRC_SUPERVISED\n")[0] ?? "";
  expect(supervised).toContain("supervise-daemon becket --stop");
  const check = (input: string) => execFileSync(toPath("shellcheck"), ["--shell=sh", "-"], { input, encoding: "utf8" });
  expect([script, service, supervised].map(check)).toEqual(["", "", ""]);
});

it.runIf(hasProgram("systemd-analyze"))("runs the agent in a unit of little power", () => {
  const unit = path.resolve(import.meta.dirname, "../../installer/becket.service");
  // Ten times the exposure; above the threshold it fails.
  execFileSync(toPath("systemd-analyze"), ["security", "--no-pager", "--offline=yes", "--threshold=30", unit]);
});

describe.each(SHELLS_HERE)("install.sh under %s", { timeout: BUSY_MS }, (shell) => {
  it("installs what is missing on Debian, starts the service and keeps no token", () => {
    const machine = createStubMachine(shell, "debian13");
    const { code, stdout, stderr, calls } = machine.run(JOIN);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(changes(calls)).toEqual([
      "apt-get -q -o DPkg::Lock::Timeout=300 update",
      `${APT} install --no-install-recommends iproute2 wireguard-tools nftables bird2 procps`,
      "systemctl --quiet disable bird.service",
      `${APT} install --no-install-recommends nodejs`,
      "systemctl daemon-reload",
      "systemctl --quiet enable becket.service",
      "systemctl --quiet enable --now becket-upgrade.path",
      "systemctl restart becket.service",
    ]);
    for (const said of [`${APT} install`, "systemctl --quiet disable bird.service", "write /usr/local/bin/becket"])
      expect(stdout).toMatch(new RegExp(`^becket: \\+ .*${said}`, "m"));
    expect(machine.files()).toEqual([
      "etc/os-release",
      "etc/systemd/system/becket-upgrade.path",
      "etc/systemd/system/becket-upgrade.service",
      "etc/systemd/system/becket.service",
      "usr/local/bin/becket",
      "usr/local/lib/becket/becket.mjs",
      "usr/local/lib/becket/install.sh",
      "usr/local/lib/becket/installed/packages",
      "var/lib/becket/identity.json",
    ]);
    expect(machine.read("var/lib/becket/identity.json")).toContain(ORIGIN);
    expect(stdout + calls.join()).not.toContain(TOKEN);
    expect(machine.modeOf("var/lib/becket")).toBe("700");
  });

  it("takes the official Node.js where the distribution's is too old, if its hash is the pinned one", () => {
    const machine = createStubMachine(shell, "debian12");
    const { sha256 } = machine.publishNode("24.21.0", "x64");
    const refused = machine.run(JOIN);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Node.js build is not what it should be.*\n.*do not trust/),
    });
    expect(machine.files().filter((file) => file.includes("becket/node"))).toEqual([]);

    const env = { ...JOIN.env, BECKET_NODE_SHA256: sha256, BECKET_NODE_MIRROR: "https://mirror.test/dist" };
    const { code, calls } = machine.run({ env });
    expect(code).toBe(0);
    expect(calls).toContain("curl https://mirror.test/dist/v24.21.0/node-v24.21.0-linux-x64.tar.gz");
    expect(machine.read("usr/local/bin/becket")).toContain("/usr/local/lib/becket/node-v24.21.0/bin/node");
    expect(machine.run().calls.filter((call) => call.includes("apt"))).toEqual([]);
  });

  it("installs by dnf on Fedora", () => {
    const { code, calls } = createStubMachine(shell, "fedora").run(JOIN);
    const dnf = "dnf -q -y --setopt=install_weak_deps=False install";
    expect({ code, calls: changes(calls).slice(0, 2) }).toEqual({
      code: 0,
      calls: [`${dnf} iproute wireguard-tools nftables bird procps-ng`, `${dnf} nodejs`],
    });
  });

  it("installs by apk on Alpine, with wireguard-go where the kernel has no WireGuard, as an OpenRC service", () => {
    const machine = createStubMachine(shell, "alpine");
    const { code, calls } = machine.run(JOIN);
    expect({ code, calls: changes(calls) }).toEqual({
      code: 0,
      calls: [
        "apk update --quiet",
        "apk add --quiet --virtual .becket-base iproute2 wireguard-tools nftables bird procps-ng",
        "apk add --quiet --virtual .becket-wireguard-go wireguard-go",
        "apk add --quiet --virtual .becket-nodejs nodejs",
        "rc-update --quiet add becket default",
        "rc-service --quiet becket restart",
      ],
    });
    expect(machine.modeOf("etc/init.d/becket")).toBe("755");
    const removed = changes(machine.run({ args: ["--uninstall"] }).calls);
    expect(removed).toEqual([
      "rc-service --quiet becket stop",
      "rc-update --quiet delete becket default",
      "apk del --quiet .becket-base .becket-wireguard-go .becket-nodejs",
    ]);
    expect(machine.files()).toEqual(["etc/apk/world", "etc/os-release"]);
  });

  it("shows a proxy's password in no argument, and in no file that others may read for a moment", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.wrap("grep", `echo "grep $*" >>"$STUB_ROOT/calls"`);
    machine.wrap("chmod", `echo "chmod of $(${toPath("stat")} -c '%a %n' "$2")" >>"$STUB_ROOT/calls"`);
    const env = { HTTPS_PROXY: "http://who:secret@proxy.test:3128", BECKET_ENDPOINTS: "203.0.113.7:51820" };
    const first = machine.run({ env: { ...JOIN.env, ...env } });
    expect(first.calls).toContain("chmod of 600 /etc/default/becket.new");
    const again = machine.run({ env: { ...env, BECKET_ENDPOINTS: "203.0.113.8:51820" } });
    expect(again.stdout).toMatch(/NOT KEPT.*: BECKET_ENDPOINTS\.$/m);
    expect(again.calls).toContain("grep -qxF -f - /etc/default/becket");
    expect([...first.calls, ...again.calls].join("\n")).not.toContain("secret");
  });

  it("gives up a server that sends nothing, by curl or wget, tries and all", () => {
    const machine = createStubMachine(shell, "alpine");
    machine.wrap("curl", `echo "curl $*" >>"$STUB_ROOT/calls"`);
    const byCurl = machine.run(JOIN).calls.filter((call) => call.startsWith("curl -"));
    const limits = /^curl .*--retry-max-time 60 --connect-timeout 20 --speed-limit 1000 --speed-time 60 /;
    expect(byCurl.filter((call) => !limits.test(call))).toEqual([]);
    machine.write(
      "stubs/wget",
      `#!/bin/sh\necho "wget $*" >>"$STUB_ROOT/calls"\nexec "$STUB_ROOT/wrapped/curl" -o "$7" "$8"\n`,
    );
    machine.remove("stubs/curl");
    chmodSync(machine.path("stubs/wget"), 0o755);
    machine.publish("// a newer agent\n");
    const byWget = machine.run().calls.filter((call) => call.startsWith("wget"));
    expect([byCurl.length, byWget.length]).toEqual([2, 2]);
    expect(byWget.filter((call) => !call.startsWith("wget -q -t 3 -T 20 -O "))).toEqual([]);
  });

  it("needs no token's file once it has joined, whatever its settings name", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.write("root/token", `${TOKEN}\n`);
    const env = { BECKET_TOKEN_FILE: machine.path("root/token") };
    expect(machine.run({ env })).toMatchObject({ code: 0, stderr: "" });
    machine.remove("root/token");
    expect(machine.run({ env })).toMatchObject({ code: 0, stdout: expect.stringContaining("it needs no token") });
    machine.remove("var/lib/becket/identity.json");
    expect(machine.run({ env })).toMatchObject({ code: 1, stderr: expect.stringContaining("can't be read") });
  });

  it("puts the token into no environment", () => {
    const machine = createStubMachine(shell, "alpine");
    machine.wrap(
      "rc-service",
      `if [ "$*" = "--quiet becket restart" ]; then cat "$STUB_ROOT/var/lib/becket/join.env" >>"$STUB_ROOT/calls"; fi`,
    );
    const { code, calls } = machine.run(JOIN);
    expect(code).toBe(0);
    expect(calls.filter((call) => call.startsWith("BECKET_"))).toEqual([
      `BECKET_URL=${ORIGIN}`,
      "BECKET_TOKEN_FILE=/var/lib/becket/join.token",
    ]);
    expect(machine.files().filter((file) => file.includes("join."))).toEqual([]);
  });

  it("changes nothing when it is run again, and starts the service where it does not run", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    const again = machine.run();
    expect(again.stdout).toContain("The agent runs, and nothing changed.");
    expect(changes(again.calls)).toEqual([
      "systemctl daemon-reload",
      "systemctl --quiet enable becket.service",
      "systemctl --quiet enable --now becket-upgrade.path",
    ]);
    machine.remove("is-running");
    expect(machine.run().calls).toContain("systemctl restart becket.service");
  });

  it("upgrades, and goes back to the agent before when the new one does not start", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.publish("// a newer agent\n");
    expect(machine.run()).toMatchObject({ code: 0, stderr: "" });
    machine.publish("// broken\n");
    const { code, stderr } = machine.run();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/\| the agent is broken\n[\s\S]*the one before it is back, and runs/),
    });
    expect(machine.read("usr/local/lib/becket/becket.mjs")).toBe("// a newer agent\n");
    expect(machine.has("is-running")).toBe(true);
  });

  it("leaves settings that are there as they are, and says which of those that it was given are not among them", () => {
    const machine = createStubMachine(shell, "debian13");
    const settings = 'BECKET_LOG_LEVEL=debug\nBECKET_METRICS="127.0.0.1:9090"\n';
    machine.write("etc/default/becket", settings);
    const same = { BECKET_LOG_LEVEL: "debug", BECKET_METRICS: "127.0.0.1:9090" };
    const given = { BECKET_ALLOW_UPGRADES: "yes", HTTPS_PROXY: "http://who:secret@proxy.test:3128" };
    const { code, stdout } = machine.run({ env: { ...JOIN.env, ...same, ...given } });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /NOT KEPT, because \/etc\/default\/becket .*: BECKET_ALLOW_UPGRADES HTTPS_PROXY\.\n.*What to do: .* systemctl restart becket\n$/,
    );
    expect(stdout).not.toContain("secret");
    expect(machine.read("etc/default/becket")).toBe(settings);
    expect(machine.run({ env: same }).stdout).not.toContain("NOT KEPT");
  });

  it("uninstalls what it installed, and nothing that others need", () => {
    const machine = createStubMachine(shell, "debian13");
    const before = machine.files();
    machine.run({ env: { ...JOIN.env, BECKET_ENDPOINTS: "203.0.113.7:51820,[2001:db8::7]:51820" } });
    expect(machine.read("etc/default/becket")).toBe("BECKET_ENDPOINTS=203.0.113.7:51820,[2001:db8::7]:51820\n");
    machine.write("answers/needing", "wireguard");
    const { code, stdout, calls } = machine.run({ args: ["--uninstall"] });
    expect(code).toBe(0);
    expect(stdout).toContain("These packages stay, because wireguard need them: bird2 iproute2");
    expect(calls).toContain("becket down --forget");
    expect(calls.filter((call) => call.startsWith(`${APT} purge`))).toEqual([]);
    expect(machine.files()).toEqual(before);
  });

  it("trusts the authorities that it is given beside the system's, keeps them for upgrades, and has the agent trust them", () => {
    const machine = createStubMachine(shell, "debian13");
    const own = "-----BEGIN CERTIFICATE-----\nOWN\n-----END CERTIFICATE-----\n";
    machine.write("etc/ssl/certs/ca-certificates.crt", "WORLD\n");
    machine.write("root/own.pem", own);
    const { code, calls } = machine.run({ env: { ...JOIN.env, BECKET_CA_FILE: machine.path("root/own.pem") } });
    const trusting = `trusting WORLD ${own.replaceAll("\n", " ")}`;
    expect({ code, trusted: downloads(calls).filter((call) => !call.includes(trusting)) }).toEqual({
      code: 0,
      trusted: [],
    });
    expect(machine.read("usr/local/lib/becket/ca.pem")).toBe(own);
    expect(machine.modeOf("usr/local/lib/becket/ca.pem")).toBe("644");
    const kept = machine.path("usr/local/lib/becket/ca.pem");
    expect(machine.read("usr/local/bin/becket")).toContain(
      `export BECKET_CA_FILE="\${BECKET_CA_FILE:-${kept}}"\nexec `,
    );

    const again = machine.run();
    expect(again.stdout).toContain("The agent runs, and nothing changed.");
    expect(downloads(again.calls)).toEqual([`curl ${ORIGIN}/install.sh ${trusting}`]);
    // Another one: the agent has to begin anew.
    machine.write("root/own.pem", own.replace("OWN", "NEW"));
    const changed = machine.run({ env: { BECKET_CA_FILE: machine.path("root/own.pem") } });
    expect(changed.calls).toContain("systemctl restart becket.service");
    machine.run({ args: ["--uninstall"] });
    expect(machine.files()).toEqual(["etc/os-release", "etc/ssl/certs/ca-certificates.crt"]);
  });

  it("runs nothing of a download that was cut off, wherever", () => {
    const machine = createStubMachine(shell, "debian13");
    const script = machine.script().trimEnd();
    const cuts = [
      ...Array.from({ length: 6 }, (_, part) => Math.floor((script.length * part) / 6)),
      ...last(script, 36),
    ];
    for (const length of cuts) {
      const { calls, stdout } = machine.run({ ...JOIN, script: script.slice(0, length) });
      expect({ length, calls, stdout }).toEqual({ length, calls: [], stdout: "" });
    }
    expect(machine.files()).toEqual(["etc/os-release"]);
  });
});

describe("what fails", { timeout: BUSY_MS }, () => {
  const shell = "dash";

  it.each([
    ["no token", {}, {}, "there is no join token", "BECKET_TOKEN=bkj_... && curl .* sudo sh"],
    ["a token that is none", { BECKET_TOKEN: "bkj_$(reboot)" }, {}, "is no join token", "letters, digits"],
    ["no root", { BECKET_TOKEN: TOKEN, STUB_UID: "1000" }, {}, "this is not root", "sudo"],
    ["no service manager", JOIN.env, { services: NO_SERVICES }, "neither systemd nor OpenRC", "docs/operations.md"],
    ["no package manager", JOIN.env, { packager: NO_PACKAGER }, "iproute2 wireguard-tools.* is missing", "yourself"],
    [
      "authorities that are missing",
      { ...JOIN.env, BECKET_CA_FILE: "/nowhere/own.pem" },
      {},
      "BECKET_CA_FILE can't be read",
      "/nowhere/own.pem is there",
    ],
    [
      "authorities that are none",
      { ...JOIN.env, BECKET_CA_FILE: "/etc/passwd" },
      {},
      "/etc/passwd holds none in PEM",
      "openssl x509",
    ],
    [
      "an architecture without builds",
      { ...JOIN.env, STUB_MACHINE: "riscv64" },
      {},
      "no official build for riscv64",
      "/usr/local/bin/node",
    ],
    [
      "a mirror that has no build",
      JOIN.env,
      {},
      "node-v24.21.0-linux-x64.tar.gz could not be downloaded .*404",
      "BECKET_NODE_MIRROR",
    ],
    [
      "another build without a hash",
      { ...JOIN.env, BECKET_NODE_VERSION: "22.22.0" },
      {},
      "SHA-256 of Node.js 22.22.0 is not known",
      "BECKET_NODE_SHA256",
    ],
  ])("says why and what to do with %s", (_, env, system, cause, remedy) => {
    const { code, stderr } = createStubMachine(shell, "debian12", system).run({ env });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^becket: FAILED: .*${cause}.*\\nbecket: What to do: .*${remedy}`, "m"));
  });

  it("says why and what to do when a package manager fails, an agent is not what was built, or the machine is someone else's", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.write("answers/apt-fails", "");
    expect(machine.run(JOIN).stderr).toMatch(
      / {2}\| E: Unable.*\n.*FAILED: `apt-get.*ended with 100\.\n.*What to do: see that/,
    );
    machine.remove("answers/apt-fails");
    const [agent = ""] = /becket-\w+\.mjs/.exec(machine.script()) ?? [];
    machine.write(`served/install/${agent}`, "// something else\n");
    expect(machine.run(JOIN).stderr).toMatch(
      /the agent is not what it should be: its SHA-256 is .*\n.*What to do: download/,
    );
    expect(machine.has("usr/local/lib/becket/becket.mjs")).toBe(false);
    machine.write("var/lib/becket/identity.json", '{"controlPlaneUrl": "https://other.test"}');
    expect(machine.run(JOIN).stderr).toMatch(/in the meshes of https:\/\/other.test, not of https:\/\/becket.test/);
  });
});

/** The lengths of the text without its last characters: one, two, … */
const last = (text: string, count: number): number[] =>
  Array.from({ length: count }, (_, index) => text.length - 1 - index);
