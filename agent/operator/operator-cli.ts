// `becket mesh create office --cidr 10.77.0.0/16` and the like: the API at the command line, for people and scripts.
import { type Command, Option } from "commander";
import { parseControlPlaneUrl } from "../local/control-plane-url.ts";
import { CommandFailure, EXIT_CODES } from "../local/exit-codes.ts";
import { createApiClient } from "./api-client.ts";
import { COMMANDS, type Verb } from "./commands.ts";
import { type Field, toFields } from "./fields.ts";
import { NOUNS, type Noun } from "./nouns.ts";
import { LAST_ROLLOUT } from "./resolve-name.ts";
import { type OperatorPorts, runOperation, type Written } from "./run-operation.ts";

export const ACCESS_HELP = `
Environment:
  BECKET_URL          the control plane, as --url
  BECKET_API_TOKEN    an API token whose role allows it; never an argument, where every user of this machine could read it
  BECKET_CA_FILE      certificates (PEM) of more authorities to trust for it
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY`;

/** Adds every verb of a noun below `program`. */
export function addNoun(program: Command, noun: Noun, ports: OperatorPorts): void {
  const command = program
    .command(noun)
    .helpCommand(false)
    .summary(NOUNS[noun])
    .description(`${upperFirst(NOUNS[noun])}, by the control plane's API.`)
    .showHelpAfterError(`(becket ${noun} --help shows how)`)
    .addHelpText("after", ACCESS_HELP);
  for (const [word, verb] of Object.entries(COMMANDS[noun])) addVerb(command, word, verb, ports);
}

function addVerb(noun: Command, word: string, verb: Verb, ports: OperatorPorts): void {
  const { operation } = verb;
  const { positional, options } = toFields(operation);
  const command = noun
    .command(word)
    .showHelpAfterError(`(becket ${noun.name()} ${word} --help shows how)`)
    .summary(lowerFirst(operation.summary))
    .description([operation.summary, operation.description].filter(Boolean).join(".\n"));
  for (const field of positional) {
    if (field.reference === "rollout") command.argument(`[${field.flag}]`, "its id", LAST_ROLLOUT);
    else command.argument(`<${field.flag}>`, toHelp(field));
  }
  for (const field of options) addOption(command, field);
  command
    .addOption(new Option("--url <url>", "the control plane").default(ports.env.BECKET_URL, "BECKET_URL"))
    .addOption(new Option("--token-file <file>", "file that holds an API token; - is standard input"))
    .addOption(new Option("--json", "print JSON, for programs"))
    .addHelpText("after", ACCESS_HELP)
    .action(async (...words: unknown[]) => {
      const written = words.at(-2) as Written & { url?: string; tokenFile?: string; json?: boolean };
      const args = words.slice(0, positional.length) as string[];
      const api = createApiClient({
        http: ports.http,
        url: demandUrl(written.url),
        token: await readToken(written.tokenFile, ports),
        userAgent: ports.userAgent,
        now: ports.now,
      });
      await runOperation({ api, verb, fields: { positional, options }, args, written, ports });
    });
}

function addOption(command: Command, field: Field): void {
  const { flag, kind, choices, isRequired, isNullable } = field;
  const help = toHelp(field);
  if (kind === "boolean") {
    // Both can be said; help shows what changes something.
    command.addOption(new Option(`--${flag}`, help).hideHelp(field.isOnByDefault));
    if (field.place === "body") command.addOption(new Option(`--no-${flag}`, help).hideHelp(!field.isOnByDefault));
    return;
  }
  const value = kind === "json" ? "json" : kind === "number" ? "n" : (field.reference ?? "text");
  const option = new Option(`--${flag} <${value}${kind === "list" ? "..." : ""}>`, help);
  if (choices.length > 0) option.choices([...choices, ...(isNullable ? ["none"] : [])]);
  if (isRequired) option.makeOptionMandatory();
  command.addOption(option);
}

function toHelp({ description, kind, isNullable, reference }: Field): string {
  const notes = [
    ...(reference === null ? [] : ["name or id"]),
    ...(kind === "list" ? ["several: repeat it, or commas"] : []),
    ...(kind === "json" ? ["JSON, or @FILE"] : []),
    ...(isNullable ? ["or none"] : []),
  ];
  return `${description.replace(/\.$/, "")}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function demandUrl(text: string | undefined): string {
  const url = parseControlPlaneUrl(text ?? null);
  if (url !== null) return url;
  throw new CommandFailure(EXIT_CODES.usage, "which control plane? Set BECKET_URL, or give --url.");
}

async function readToken(file: string | undefined, { env, readFile, readStdin }: OperatorPorts): Promise<string> {
  const text = file === undefined ? env.BECKET_API_TOKEN : file === "-" ? await readStdin() : await readFile(file);
  const token = text?.trim() ?? "";
  if (token !== "") return token;
  const where = file === undefined ? "Set BECKET_API_TOKEN, or give --token-file." : `There is none in ${file}.`;
  throw new CommandFailure(EXIT_CODES.usage, `an API token is needed. ${where}`);
}
