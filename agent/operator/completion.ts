// Scripts that complete commands and options in a shell, made from the commands themselves. Pure.
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Completion {
  /** The words before: empty, `mesh`, `mesh create`. */
  readonly path: string;
  readonly words: readonly string[];
}

export function renderCompletion(program: Command, shell: Shell): string {
  const all = toCompletions(program);
  if (shell === "fish") return renderFish(all);
  const cases = all.map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`);
  const script = `_becket() {
  local path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    path="\${path:+$path }$word"
  done
  # Behind a command come arguments of its own: the longest command that is known counts.
  while :; do
    case "$path" in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    case "$path" in *" "*) path="\${path% *}" ;; *) path="" ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _becket becket`;
  return shell === "bash" ? script : `autoload -U +X bashcompinit && bashcompinit\n${script}`;
}

function toCompletions(command: Command, path: readonly string[] = []): Completion[] {
  const below = command.commands.flatMap((one) => toCompletions(one, [...path, one.name()]));
  const names = command.commands.map((one) => one.name());
  const flags = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  return [{ path: path.join(" "), words: [...names, ...flags, "--help"] }, ...below];
}

function renderFish(all: readonly Completion[]): string {
  const lines = all.flatMap(({ path, words }) => {
    const parts = path.split(" ").filter(Boolean);
    const next = words.filter((word) => !word.startsWith("-"));
    const condition = [
      ...(parts.length === 0 ? ["__fish_use_subcommand"] : parts.map((part) => `__fish_seen_subcommand_from ${part}`)),
      ...(next.length > 0 && parts.length > 0 ? [`not __fish_seen_subcommand_from ${next.join(" ")}`] : []),
    ].join("; and ");
    const names = next.length > 0 ? [`complete -c becket -f -n "${condition}" -a "${next.join(" ")}"`] : [];
    const flags = words
      .filter((word) => word.startsWith("--"))
      .map((word) => `complete -c becket -n "${condition}" -l ${word.slice(2)}`);
    return [...names, ...flags];
  });
  return lines.join("\n");
}
