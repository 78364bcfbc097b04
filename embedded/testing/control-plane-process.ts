// The control plane as its users start it: a process, a port, a state folder.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

const program = path.resolve(import.meta.dirname, "../main.ts");

export interface ReadyLine {
  readonly url: string;
  readonly urls: readonly string[];
  readonly pid: number;
  readonly ownerToken: string;
}

export interface ControlPlaneProcess {
  readonly child: ChildProcess;
  /** What `--json` printed; rejects when the process ends before that. */
  readonly ready: Promise<ReadyLine>;
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

export function createStateFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "becket-embedded-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Ends with the test, if it has not before. */
export function startProcess(
  argv: readonly string[],
  { env = {}, wrap = [] }: { env?: Record<string, string>; wrap?: readonly string[] } = {},
): ControlPlaneProcess {
  const [command = "", ...rest] = [...wrap, process.execPath, program, ...argv];
  const child = spawn(command, rest, {
    env: { ...process.env, BECKET_OWNER_TOKEN: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  const ended: ControlPlaneProcess["ended"] = new Promise((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, ...output })),
  );
  const ready = new Promise<ReadyLine>((resolve, reject) => {
    createInterface(child.stdout).on("line", (line) => line.startsWith("{") && resolve(JSON.parse(line)));
    void ended.then(({ stderr }) => reject(new Error(`it ended before it was ready: ${stderr}`)));
  });
  // Tests that expect an end do not wait for readiness.
  ready.catch(() => undefined);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, ready, ended };
}

export async function callApi(
  { url, ownerToken }: Pick<ReadyLine, "url" | "ownerToken">,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
