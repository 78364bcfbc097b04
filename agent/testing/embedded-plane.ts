// The embedded control plane as its own process, with nothing in it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

const repository = path.resolve(import.meta.dirname, "../..");
const Ready = z.object({ url: z.string(), ownerToken: z.string() });

export interface EmbeddedPlane {
  readonly url: string;
  readonly ownerToken: string;
  close(): Promise<void>;
}

export async function startEmbeddedPlane(): Promise<EmbeddedPlane> {
  const folder = mkdtempSync(path.join(tmpdir(), "becket-embedded-"));
  const argv = ["embedded/main.ts", "--port", "0", "--state", folder, "--json", "--exit-with-parent"];
  const child = spawn(process.execPath, argv, { cwd: repository, stdio: ["ignore", "pipe", "inherit"] });
  return {
    ...(await readReady(child)),
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function readReady(child: ChildProcess): Promise<z.infer<typeof Ready>> {
  if (child.stdout === null) throw new Error("the control plane has no output");
  for await (const line of createInterface(child.stdout)) return Ready.parse(JSON.parse(line));
  throw new Error("the control plane ended before it was ready");
}
