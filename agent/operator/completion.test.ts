// Completion in real shells. zsh completes at a terminal only, so what it would show is taken from the functions that it shows it by.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { AgentPorts } from "../agent.ts";
import { runCli } from "../local/cli.ts";
import { createHasProgram } from "../system/exec.ts";
import { createLocalSockets } from "../system/local-socket.ts";
import { renderCompletion, SHELLS, type Shell } from "./completion.ts";

const hasShell = Object.fromEntries(
  await Promise.all(SHELLS.map(async (shell) => [shell, await createHasProgram(process.env)(shell)])),
) as Record<Shell, boolean>;

/** What each shell offers behind these words, the last of which is begun. */
const ASK: Readonly<Record<Shell, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) =>
    `${script}\nCOMP_WORDS=(becket ${quote(words)}); COMP_CWORD=${words.length}; _becket; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (script, words) =>
    `compdef() { : }; _describe() { print -l -- \${(P)2} }; _files() { print files }
${script}\nwords=(becket ${quote(words)}); CURRENT=$#words; _becket`,
  fish: (script, words) => `${script}\ncomplete -C 'becket ${words.join(" ")}'`,
};
const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

async function printScript(shell: Shell): Promise<string> {
  const printed: string[] = [];
  await runCli(["completion", shell], {
    agent: { clock: {}, http: {}, files: {} } as unknown as AgentPorts,
    sockets: createLocalSockets("/nowhere"),
    listenHttp: () => Promise.reject(new Error("no agent runs here")),
    env: {},
    isRoot: false,
    stopSignal: new AbortController().signal,
    readStdin: async () => "",
    print: (text) => printed.push(text),
    printError: (text) => printed.push(text),
  });
  return printed.join("\n");
}

for (const shell of SHELLS) describe.skipIf(!hasShell[shell])(shell, () => testCompletion(shell));

async function testCompletion(shell: Shell): Promise<void> {
  const script = await printScript(shell);
  /** The words alone. fish and bash leave out what does not begin so; zsh does that itself. */
  const complete = async (...words: string[]) => {
    const { stdout, stderr } = await promisify(execFile)(shell, ["-c", ASK[shell](script, words)]);
    expect(stderr).toBe("");
    const offered = stdout.split("\n").map((line) => line.split(/[\t:]/)[0] ?? "");
    return offered.filter((word) => word !== "" && word.startsWith(words.at(-1) ?? "")).sort();
  };

  it("completes nouns and the agent's own commands", async () => {
    expect(await complete("me")).toEqual(["me", "member", "mesh"]);
    expect(await complete("net")).toEqual(["netcheck"]);
    expect(await complete("completion", "")).toEqual(expect.arrayContaining(["bash", "fish", "zsh"]));
  });

  it("completes verbs, and options behind arguments", async () => {
    expect(await complete("mesh", "")).toEqual(expect.arrayContaining(["create", "delete", "list", "show", "update"]));
    expect(await complete("mesh", "create", "office", "--ci")).toEqual(["--cidr"]);
    expect(await complete("mesh", "create", "office", "--json", "--ci")).toEqual(["--cidr"]);
  });

  it("takes a verb for no command of the agent's of the same name", async () => {
    expect(await complete("machine", "explain", "bob", "--state")).toEqual([]);
    expect(await complete("explain", "bob", "--state")).toEqual(["--state-dir"]);
  });

  it("completes an option's values where they are known, and offers no options in their place", async () => {
    const fallbacks = ["relay", "relay-then-transit", "transit", "transit-then-relay"];
    expect(await complete("mesh", "create", "office", "--fallback", "")).toEqual(fallbacks);
    const free = await complete("mesh", "create", "office", "--cidr", "");
    expect(free.filter((word) => word.startsWith("--"))).toEqual([]);
  });
}

it("quotes nothing that a shell would run", () => {
  const program = new Command("becket");
  program.command("one").summary('it\'s `reboot` $(reboot) "now": \\ twice').option("--two", "three's");
  for (const shell of SHELLS) {
    const script = renderCompletion(program, shell);
    expect(script).not.toMatch(/`reboot`|\$\(reboot\)/);
    // fish and zsh show it; bash has no place for it.
    if (shell !== "bash") expect(script).toContain("it’s");
  }
});
