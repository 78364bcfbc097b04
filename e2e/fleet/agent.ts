// The agent of one lab machine: the built bundle as a process inside it, and its command line.
import { existsSync } from "node:fs";
import path from "node:path";
import type { LabNode } from "../lab/node.ts";
import type { LabProcess } from "../lab/system/process.ts";

export const AGENT_BUNDLE = path.resolve(import.meta.dirname, "../../build/agent/becket.mjs");

export interface LabAgent {
  readonly machine: LabNode;
  /** Starts the daemon; the token only where the machine has yet to enrol. */
  up(options?: { token?: string; node?: string; env?: Record<string, string> }): Promise<LabProcess>;
  /** `becket COMMAND --json`, parsed. */
  read(command: "status" | "peers" | "version"): Promise<unknown>;
  /** Any command of the agent's command line. */
  becket(...argv: string[]): Promise<{ stdout: string; stderr: string }>;
  /** SIGTERM: it stops, the tunnels stay. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export function createAgent(machine: LabNode, controlPlaneUrl: string): LabAgent {
  if (!existsSync(AGENT_BUNDLE)) throw new Error("the agent is not built: run `npm run build`");
  let daemon: LabProcess | null = null;
  return {
    machine,
    async up({ token, node = process.execPath, env = {} } = {}) {
      daemon = await machine.spawn([node, AGENT_BUNDLE, "up", "--url", controlPlaneUrl], {
        env: { ...env, ...(token === undefined ? {} : { BECKET_TOKEN: token }) },
      });
      return daemon;
    },
    async read(command) {
      const { stdout } = await machine.exec([process.execPath, AGENT_BUNDLE, command, "--json"]);
      return JSON.parse(stdout);
    },
    becket: (...argv) => machine.exec([process.execPath, AGENT_BUNDLE, ...argv], { timeoutMs: 20_000 }),
    async stop() {
      await daemon?.stop();
    },
    async kill() {
      await daemon?.kill("SIGKILL");
    },
  };
}
