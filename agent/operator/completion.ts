// Scripts that complete commands, options and their values in a shell, made from the commands themselves. Pure.
import type { Command, Option } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly text: string;
  readonly summary: string;
}

interface Flag extends Word {
  /** Null: it takes no value; none: any. */
  readonly values: readonly string[] | null;
}

/** What may follow these words. */
interface Level {
  /** Empty, `mesh`, `mesh create`. */
  readonly path: string;
  /** Also the values of a first argument that has some. */
  readonly commands: readonly Word[];
  readonly flags: readonly Flag[];
}

export function renderCompletion(program: Command, shell: Shell): string {
  const levels = toLevels(program);
  if (shell === "fish") return renderFish(levels);
  return shell === "bash" ? renderBash(levels) : renderZsh(levels);
}

function toLevels(command: Command, path: readonly string[] = []): Level[] {
  const below = command.commands.flatMap((one) => toLevels(one, [...path, one.name()]));
  const commands = [
    ...command.commands.map((one) => ({ text: one.name(), summary: toSummary(one.summary()) })),
    ...(command.registeredArguments[0]?.argChoices ?? []).map((text) => ({ text, summary: "" })),
  ];
  const flags = command.options.flatMap((option) => (option.hidden ? [] : toFlags(option)));
  const help = { text: "--help", summary: "show help", values: null };
  return [{ path: path.join(" "), commands, flags: [...flags, help] }, ...below];
}

function toFlags({ long, description, argChoices, required, optional }: Option): Flag[] {
  if (!long) return [];
  return [{ text: long, summary: toSummary(description), values: required || optional ? (argChoices ?? []) : null }];
}

/** Short, and without what means something to a shell between quotes. */
const toSummary = (text: string): string => {
  const [sentence = ""] = text.split(/\.\s|\n/);
  const plain = sentence.replaceAll(/['"`$\\]/g, "’");
  return plain.length > 70 ? `${plain.slice(0, 69)}…` : plain;
};

/** What bash and zsh have in common. `words` is what they call the line's words before the one to complete, without the first. */
const renderSearch = (
  levels: readonly Level[],
  { words, render }: { words: string; render: (level: Level) => string },
) => `
  for word in ${words}; do
    case "$word" in -*) break ;; esac
    at="\${at:+$at }$word"
  done
  # Behind a command come arguments of its own: the longest command that is known counts.
  while :; do
    found=yes
    case "$at" in
${levels.map((level) => `      "${level.path}") ${render(level)} ;;`).join("\n")}
      *) found= ;;
    esac
    [ -z "$found" ] || break
    case "$at" in *" "*) at="\${at% *}" ;; *) at="" ;; esac
  done
  case "$at $previous" in
${toValues(levels)
  .map(({ key, values }) => `    "${key}") values="${values.join(" ")}" ;;`)
  .join("\n")}
    *) takes= ;;
  esac`;

const toValues = (levels: readonly Level[]) =>
  levels.flatMap(({ path, flags }) =>
    flags.flatMap(({ text, values }) => (values === null ? [] : [{ key: `${path} ${text}`, values }])),
  );

/** Where nothing is offered, bash offers files. */
const renderBash = (levels: readonly Level[]): string => `_becket() {
  local at="" offered="" values="" takes=yes found word previous="\${COMP_WORDS[COMP_CWORD-1]}"${renderSearch(levels, {
    words: `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`,
    render: ({ commands, flags }) => `offered="${[...commands, ...flags].map(({ text }) => text).join(" ")}"`,
  })}
  [ -z "$takes" ] || offered=$values
  COMPREPLY=($(compgen -W "$offered" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _becket becket`;

const renderZsh = (levels: readonly Level[]): string => `#compdef becket
_becket() {
  local at="" values="" takes=yes found word previous="\${words[CURRENT-1]}"
  local -a offered${renderSearch(levels, {
    words: `"\${(@)words[2,CURRENT-1]}"`,
    render: ({ commands, flags }) =>
      `offered=(${[...commands, ...flags].map(({ text, summary }) => `'${text}:${summary.replaceAll(":", "\\:")}'`).join(" ")})`,
  })}
  if [ -z "$takes" ]; then
    _describe becket offered
  elif [ -n "$values" ]; then
    offered=(\${=values})
    _describe value offered
  else
    _files
  fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _becket becket`;

const FISH_AT = `function __becket_at
  set -l words (commandline -opc)
  set -e words[1]
  set -l at
  for word in $words
    string match -q -- '-*' $word; and break
    set -a at $word
  end
  if test $argv[1] = within
    string match -q -- "$argv[2] *" "$at "
  else
    test "$at" = "$argv[2]"
  end
end
complete -c becket -e
complete -c becket -f`;

function renderFish(levels: readonly Level[]): string {
  const lines = levels.flatMap(({ path, commands, flags }) => {
    const isLeaf = commands.length === 0;
    const condition = `-n '__becket_at ${isLeaf ? "within" : "is"} "${path}"'`;
    return [
      ...commands.map(({ text, summary }) => `complete -c becket ${condition} -a ${text} -d '${summary}'`),
      ...flags.map(({ text, summary, values }) => {
        const takes = values === null ? "" : values.length > 0 ? ` -x -a '${values.join(" ")}'` : " -r -F";
        return `complete -c becket ${condition} -l ${text.slice(2)}${takes} -d '${summary}'`;
      }),
    ];
  });
  return [FISH_AT, ...lines].join("\n");
}
