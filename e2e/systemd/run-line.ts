// The line that installs, as a person runs it.
import type { Fleet } from "../fleet/fleet.ts";
import type { SystemdMachine } from "./systemd-machine.ts";

/** The shell's own words go to the test when it fails. */
export async function runLine(fleet: Fleet, machine: SystemdMachine, env: Readonly<Record<string, string>> = {}) {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const line = `curl -fsSL ${fleet.controlPlane.url}/install.sh | ${settings.join(" ")} sh`;
  return machine.sh(line, { timeoutMs: 180_000 });
}
