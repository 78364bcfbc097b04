// What install.sh leaves when it is ended before its end, or when two run at once; and what it says of an upgrade that went wrong.
import { describe, expect, it } from "vitest";
import { createStubMachine } from "./testing/stub-machine.ts";
import { BUSY_MS, JOIN } from "./testing/stub-systems.ts";

const BUNDLE = "usr/local/lib/becket/becket.mjs";
const UNIT = "etc/systemd/system/becket.service";
const WRAPPER = "usr/local/bin/becket";

const shell = "dash";

describe("a run that does not come to its end", { timeout: BUSY_MS }, () => {
  it("refuses settings before it changes anything", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.publish("// a newer agent\n");
    const before = machine.files();
    const { code, stderr } = machine.run({ env: { BECKET_ENDPOINTS: "203.0.113.7:51820; x" } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("BECKET_ENDPOINTS has a character") });
    expect(machine.files()).toEqual(before);
    expect(machine.read(BUNDLE)).toBe("// the agent\n");
  });

  it("is finished by the next one, when it was killed before the restart", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    const files = machine.files();
    machine.publish("// a newer agent\n");
    machine.write("answers/killed-at", "daemon-reload");
    machine.run();
    expect(machine.read(BUNDLE)).toBe("// a newer agent\n");
    machine.remove("answers/killed-at");
    const { code, calls } = machine.run();
    expect(code).toBe(0);
    expect(calls).toContain("systemctl restart becket.service");
    expect(machine.files()).toEqual(files);
    expect(machine.run().stdout).toContain("The agent runs, and nothing changed.");
  });

  it("goes back to the agent that ran last, not to one that never ran", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    machine.publish("// broken, too\n");
    machine.write("answers/killed-at", "daemon-reload");
    machine.run();
    machine.remove("answers/killed-at");
    machine.publish("// broken\n");
    expect(machine.run().stderr).toContain("the one before it is back, and runs");
    expect(machine.read(BUNDLE)).toBe("// the agent\n");
  });

  it("puts unit and wrapper back with the agent, and says so when that does not start either", () => {
    const machine = createStubMachine(shell, "debian13");
    machine.run(JOIN);
    for (const file of [UNIT, WRAPPER]) machine.write(file, `${machine.read(file)}# of an earlier version\n`);
    machine.publish("// broken\n");
    const { calls, stderr } = machine.run();
    expect(stderr).toContain("the one before it is back, and runs");
    expect(calls.slice(calls.indexOf("systemctl restart becket.service") + 1)).toEqual(
      expect.arrayContaining(["systemctl daemon-reload", "systemctl restart becket.service"]),
    );
    for (const file of [UNIT, WRAPPER]) expect(machine.read(file)).toContain("# of an earlier version");

    machine.write(BUNDLE, "// broken as well\n");
    expect(machine.run().stderr).toMatch(/the one before it, which was put back, does not start either/);
  });

  it("is refused while another is at work", () => {
    const machine = createStubMachine(shell, "debian13");
    const held = `mkdir -p "$BECKET_ROOT/usr/local/lib"; exec 8<"$BECKET_ROOT/usr/local/lib"; flock 8\n`;
    const { code, stderr, calls } = machine.run({ ...JOIN, script: held + machine.script() });
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(stderr).toMatch(/FAILED: another run of this script is at work.*\n.*What to do: wait/);
    expect(machine.run(JOIN).code).toBe(0);
  });

  it("takes the token from a line before the script, and hands it to no program", () => {
    const machine = createStubMachine(shell, "debian13");
    const script = `BECKET_TOKEN=${JOIN.env.BECKET_TOKEN}\n${machine.script()}`;
    const { code, stdout, calls } = machine.run({ script });
    expect(code).toBe(0);
    expect(stdout + calls.join()).not.toContain(JOIN.env.BECKET_TOKEN);
  });
});
