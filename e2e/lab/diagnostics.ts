// What a person wants to see when a scenario failed, as text.
import { existsSync, readFileSync } from "node:fs";
import type { LabNode } from "./node.ts";

const COMMANDS = [
  ["ip", "-brief", "address"],
  ["ip", "route"],
  ["ip", "-6", "route"],
  ["wg", "show"],
  ["nft", "list", "ruleset"],
];
const LOG_LINES = 30;
const NODES_AT_ONCE = 3;

export async function renderDiagnostics(nodes: readonly LabNode[]): Promise<string> {
  const parts: string[] = [];
  // A lab may have forty nodes, and all their commands at once would each take longer than they may.
  for (let first = 0; first < nodes.length; first += NODES_AT_ONCE)
    parts.push(...(await Promise.all(nodes.slice(first, first + NODES_AT_ONCE).map(renderNode))));
  return parts.join("\n");
}

async function renderNode(node: LabNode): Promise<string> {
  const outputs = await Promise.all(COMMANDS.map((argv) => renderCommand(node, argv)));
  const logs = node.logFiles().map(renderLog);
  return [`=== ${node.name} (${node.role})`, ...outputs, ...logs].filter((text) => text !== "").join("\n");
}

async function renderCommand(node: LabNode, argv: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await node.exec(argv, { timeoutMs: 5_000, allowFailure: true });
    const text = (stdout + stderr).trimEnd();
    return text === "" ? "" : `--- ${argv.join(" ")}\n${text}`;
  } catch (error) {
    return `--- ${argv.join(" ")}\n${String(error)}`;
  }
}

function renderLog(file: string): string {
  if (!existsSync(file)) return "";
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_LINES);
  return `--- ${file}, last ${LOG_LINES} lines\n${lines.join("\n")}`;
}
