// Becket's one nftables table. Each part of the agent keeps chains of its own in it and leaves those of the others alone.
import { type Exec, isCommandError } from "../../system/exec.ts";
import type { Chain } from "./nft-list.ts";

export const TABLE = "becket";

/** Makes sure that there is a table, so that deleting it can't fail. */
export const REMOVAL_SCRIPT = `table inet ${TABLE} {\n}\ndelete table inet ${TABLE}\n`;

/** The beginning of a script that makes this chain anew: makes sure that there is one, so that deleting it can't fail. */
export const renderChainRemoval = (chain: string): string =>
  `table inet ${TABLE} {\n  chain ${chain} {\n  }\n}\ndelete chain inet ${TABLE} ${chain}\n`;

/** What stands between the braces of the table. */
export const renderChain = (name: string, { type = "filter", hook, priority, rules }: Chain): string =>
  [
    `  chain ${name} {`,
    `    type ${type} hook ${hook} priority ${priority}; policy accept;`,
    ...rules.map((phrases) => `    ${phrases.join(" ")}`),
    "  }",
  ].join("\n");

/** As JSON; null: there is none. Rejects with a CommandError when nft is missing or refuses. */
export async function readTable(exec: Exec): Promise<string | null> {
  try {
    return (await exec.run(["nft", "-j", "list", "table", "inet", TABLE])).stdout;
  } catch (error) {
    // nft's words for a table that isn't there.
    if (isCommandError(error) && error.exitCode === 1 && error.stderrTail.includes("No such file or directory"))
      return null;
    throw error;
  }
}

/** One transaction: all of it or nothing. */
export async function runScript(exec: Exec, stdin: string): Promise<void> {
  await exec.run(["nft", "-f", "-"], { stdin });
}

/** For removals: without nft there is nothing to remove. */
export async function runRemoval(exec: Exec, stdin: string): Promise<void> {
  try {
    await runScript(exec, stdin);
  } catch (error) {
    if (!isMissingProgram(error)) throw error;
  }
}

const isMissingProgram = (error: unknown): boolean =>
  isCommandError(error) && error.cause instanceof Error && "code" in error.cause && error.cause.code === "ENOENT";
