// The embedded control plane as a process of its own, on a free port of loopback, with a state folder that goes with it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** The first start after a change bundles the Worker and builds the dashboard. */
const START_LIMIT_MS = 120_000;
const repository = path.resolve(import.meta.dirname, "../..");

export interface ControlPlaneProcess {
  readonly origin: string;
  readonly ownerToken: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startControlPlane(): Promise<ControlPlaneProcess> {
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const ownerToken = `bkt_${randomBytes(32).toString("base64url")}`;
  const stateFolder = mkdtempSync(path.join(tmpdir(), "becket-bench-"));
  const child = spawn(
    process.execPath,
    ["embedded/main.ts", "--host", "127.0.0.1", "--port", String(port), "--state", stateFolder, "--exit-with-parent"],
    {
      cwd: repository,
      env: { ...process.env, BECKET_OWNER_TOKEN: ownerToken },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(stateFolder, { recursive: true, force: true });
  };
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await isAnswering(origin))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error("the control plane did not start; its last words are above");
    }
    await delay(50);
  }
  return { origin, ownerToken, pid: child.pid ?? 0, stop };
}

async function isAnswering(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/api/v1/openapi.json`)).ok;
  } catch {
    return false; // not listening yet
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
