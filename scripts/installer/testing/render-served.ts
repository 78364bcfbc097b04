// What a control plane serves for an agent: the script, and the name of the file that is in it.
import { createHash } from "node:crypto";
import { readNodeBuilds, readParts } from "../build-installer.ts";
import { renderInstaller } from "../render-installer.ts";
import { ORIGIN } from "./stub-systems.ts";

export function renderServed(agent: string): { readonly agentFile: string; readonly script: string } {
  const agentSha256 = toSha256(agent);
  const agentFile = `becket-${agentSha256.slice(0, 16)}.mjs`;
  const facts = { version: "0.1.0", agentFile, agentSha256, node: readNodeBuilds() };
  return { agentFile, script: renderInstaller(readParts(), facts).replaceAll("@ORIGIN@", ORIGIN) };
}

export const toSha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
