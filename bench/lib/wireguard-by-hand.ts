// What a person does with `ip` and `wg`, inside a lab machine.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { LabNode } from "../../e2e/lab/node.ts";

export interface HandMadeKey {
  /** The private key. */
  readonly file: string;
  readonly publicKey: string;
}

export async function makeKey(node: LabNode): Promise<HandMadeKey> {
  const { stdout: privateKey } = await node.exec(["wg", "genkey"]);
  const file = path.join(node.files.folder, "hand-made.key");
  await writeFile(file, privateKey, { mode: 0o600 });
  return { file, publicKey: (await node.exec(["wg", "pubkey"], { input: privateKey })).stdout.trim() };
}

export async function addInterface(node: LabNode, name: string): Promise<void> {
  const byKernel = ["ip", "link", "add", "dev", name, "type", "wireguard"];
  // A kernel without WireGuard: the same program that the agent takes then.
  if ((await node.exec(byKernel, { allowFailure: true })).exitCode !== 0)
    await node.exec(["setsid", "--wait", "wireguard-go", name]);
}
