import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ALLOW_LINE } from "#schema/rollout";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "becket-allow-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(["systemctl", "rc-service"])(
  "the line that allows upgrades adds a setting of its own, and restarts by %s",
  (service) => {
    const settings = join(folder, "settings");
    writeFileSync(settings, "BECKET_LOG_LEVEL=debug");
    addProgram("sudo", 'exec "$@"');
    addProgram("systemctl", service === "systemctl" ? `echo "$@" >${folder}/restarted` : "exit 127");
    addProgram("rc-service", `echo "$@" >${folder}/restarted`);
    execFileSync("sh", ["-c", ALLOW_LINE.replace("/etc/default/becket", settings)], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    expect(readFileSync(settings, "utf8")).toBe("BECKET_LOG_LEVEL=debug\nBECKET_ALLOW_UPGRADES=yes\n");
    expect(readFileSync(join(folder, "restarted"), "utf8").trim()).toBe(
      service === "systemctl" ? "restart becket" : "becket restart",
    );
  },
);

function addProgram(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}
