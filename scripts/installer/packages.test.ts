// Which packages install.sh counts as its own, and which of them it leaves when it is removed.
import { describe, expect, it } from "vitest";
import { createStubMachine } from "./testing/stub-machine.ts";
import { BUSY_MS, JOIN } from "./testing/stub-systems.ts";

const APT = "apt-get -q -y -o DPkg::Lock::Timeout=300";
const RECORD = "usr/local/lib/becket/installed/packages";
const UNINSTALL = { args: ["--uninstall"] };
const removals = (calls: string[]) => calls.filter((call) => /^(apt-get -q|rpm -e [^-]).*|^apk (add|del)/.test(call));

const shell = "dash";

describe("packages", { timeout: BUSY_MS }, () => {
  it.each(["debian13", "fedora"] as const)("counts on %s only those that its own transaction brought", (system) => {
    const machine = createStubMachine(shell, system);
    machine.write("answers/meanwhile", "docker-ce\n");
    machine.write("answers/alone", "");
    expect(machine.run(JOIN).code).toBe(0);
    expect(machine.read(RECORD)).toMatch(/nftables\n/);
    expect(machine.read(RECORD)).not.toContain("docker-ce");
    expect(machine.run(UNINSTALL)).toMatchObject({ code: 0, stderr: "" });
    expect(machine.read("packages")).toMatch(/^(docker-ce\n)+$/);
  });

  it("counts none that was there before", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.write("packages", "procps\n");
    machine.run(JOIN);
    expect(machine.read(RECORD)).not.toContain("procps");
  });

  it("purges what nobody touched", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.write("etc/nftables.conf", "as it came\n");
    expect(removals(machine.run(UNINSTALL).calls)).toEqual([
      `${APT} purge bird2 iproute2 nftables nodejs procps wireguard-tools`,
    ]);
  });

  it("leaves settings that were changed by hand", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.write("etc/nftables.conf", "my firewall\n");
    const { code, stdout, calls } = machine.run(UNINSTALL);
    expect({ code, removals: removals(calls) }).toEqual({
      code: 0,
      removals: [`${APT} remove nftables`, `${APT} purge bird2 iproute2 nodejs procps wireguard-tools`],
    });
    expect(stdout).toContain("What was changed by hand stays: /etc/nftables.conf");
  });

  it.each([
    ["enabled", "nftables.service", "nftables"],
    ["active", "nftables.service", "nftables"],
    ["enabled", "wg-quick@wg0.service", "wireguard-tools"],
    ["active", "wg-quick@*.service", "wireguard-tools"],
  ])("keeps a package of which there is an %s unit: %s", (how, unit, kept) => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.write("answers/alone", "");
    if (how === "active") machine.write("answers/active", `${unit}\n`);
    else machine.link(`etc/systemd/system/multi-user.target.wants/${unit}`);
    const { code, stdout } = machine.run(UNINSTALL);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`The package ${kept} stays: its .* is enabled, or runs`));
    expect(machine.read("packages")).toBe(`${kept}\n`);
  });

  it("keeps what such a package needs, too", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.write("answers/active", "nftables.service\n");
    const { code, stdout, calls } = machine.run(UNINSTALL);
    expect({ code, removals: removals(calls) }).toEqual({ code: 0, removals: [] });
    expect(stdout).toContain("These packages stay, because nftables need them: bird2 iproute2");
  });

  it("keeps them on Fedora and Alpine as well", () => {
    const fedora = createStubMachine(shell, "fedora");
    fedora.run(JOIN);
    fedora.write("answers/active", "nftables.service\n");
    expect(removals(fedora.run(UNINSTALL).calls)).toEqual(["rpm -e bird iproute nodejs procps-ng wireguard-tools"]);
    const alpine = createStubMachine(shell, "alpine");
    alpine.run(JOIN);
    alpine.link("etc/runlevels/default/nftables");
    expect(removals(alpine.run(UNINSTALL).calls)).toEqual([
      "apk add --quiet nftables",
      "apk del --quiet .becket-base .becket-wireguard-go .becket-nodejs",
    ]);
  });
});
