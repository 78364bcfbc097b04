// A control plane of its own for a browser to look at, on this machine.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

export interface SeenControlPlane {
  readonly url: string;
  readonly ownerToken: string;
  /** Of /api/v1, as the owner. */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

const program = path.resolve(import.meta.dirname, "../../embedded/main.ts");

export async function startSeenControlPlane(): Promise<SeenControlPlane> {
  const state = mkdtempSync(path.join(tmpdir(), "becket-dashboard-"));
  const argv = [program, "--port", "0", "--state", state, "--stun-servers", "none", "--json", "--exit-with-parent"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  const { url, ownerToken } = JSON.parse(line) as { url: string; ownerToken: string };
  return {
    url,
    ownerToken,
    async call(method, to, body) {
      const response = await fetch(`${url}/api/v1${to}`, {
        method,
        headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${method} ${to} answered ${response.status}: ${await response.text()}`);
      const text = await response.text();
      return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    },
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(state, { recursive: true, force: true });
    },
  };
}
