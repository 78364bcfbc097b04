// The refusing proxy in front of the lab's control plane.
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import { eventually } from "../lab/probes/eventually.ts";

const PORT = 8081;
const program = path.join(import.meta.dirname, "refusing-proxy.ts");

export interface RefusingProxy {
  /** As machines in the lab call it. */
  readonly url: string;
  /** How many upgrades it has refused so far. */
  refusals(): Promise<number>;
}

/** It ends with the lab. */
export async function startRefusingProxy(lab: Lab, target: string): Promise<RefusingProxy> {
  const { control } = lab;
  const { logFile } = await control.spawn([process.execPath, program, control.ipv4, String(PORT), target]);
  await eventually(async () => (await control.exec(["ss", "-Hltn", `sport = :${PORT}`])).stdout !== "", {
    withinMs: 30_000,
    describe: "the proxy listens",
  });
  return {
    url: `http://${control.ipv4}:${PORT}`,
    refusals: async () => (await readFile(logFile, "utf8")).split("\n").filter((line) => line === "refused").length,
  };
}
