// The command line: commands, options, help. What a command does is in the file of its name.
import { Argument, Command, CommanderError, Option } from "commander";
import type { AgentPorts } from "../agent.ts";
import { DEFAULT_RUN_DIR, DEFAULT_STATE_DIR } from "../config.ts";
import { isNoun, NOUNS } from "../operator/nouns.ts";
import type { ListenHttp } from "../system/http-listener.ts";
import type { LocalSockets } from "../system/local-socket.ts";
import { type DownOptions, down } from "./down.ts";
import { CommandFailure, EXIT_CODES, EXIT_CODES_HELP } from "./exit-codes.ts";
import { explain, netcheck } from "./explain.ts";
import { toOperatorPorts } from "./operator-ports.ts";
import { type RoutesOptions, routes } from "./routes.ts";
import { type ShowOptions, showPeers, showStatus, showVersion } from "./show.ts";
import { type UpOptions, up } from "./up.ts";

export interface CliPorts {
  readonly agent: AgentPorts;
  readonly sockets: LocalSockets;
  readonly listenHttp: ListenHttp;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  /** Aborts when the process is asked to end. */
  readonly stopSignal: AbortSignal;
  /** All of it, or a rejection when `signal` aborts: an open terminal must not hold the agent's end back. */
  readStdin(signal: AbortSignal): Promise<string>;
  print(text: string): void;
  printError(text: string): void;
}

export interface Folders {
  readonly stateDir: string;
  readonly runDir: string;
}

/** @param args without the program's name. Answers the exit code. */
export async function runCli(args: readonly string[], cli: CliPorts): Promise<number> {
  try {
    const words = args[0] === "--version" ? ["version", ...args.slice(1)] : args;
    const program = createProgram(cli);
    await addOperatorCommands(program, words[0], cli);
    await program.parseAsync([...words], { from: "user" });
    return EXIT_CODES.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    if (!(error instanceof CommandFailure)) throw error;
    cli.printError(`becket: ${error.message}`);
    return error.exitCode;
  }
}

/** The whole API is behind them, so it is read only when one of them is meant. */
async function addOperatorCommands(program: Command, word: string | undefined, cli: CliPorts): Promise<void> {
  if (!isNoun(word) && word !== "completion") return;
  const { addNoun } = await import("../operator/operator-cli.ts");
  const ports = toOperatorPorts(cli);
  if (isNoun(word)) return addNoun(program, word, ports);
  for (const noun of Object.keys(NOUNS)) if (isNoun(noun)) addNoun(program, noun, ports);
  const { renderCompletion, SHELLS } = await import("../operator/completion.ts");
  program
    .command("completion")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .summary("print a script that completes commands in a shell")
    .description(
      `Prints a script that completes commands, options and their values:
  bash   source <(becket completion bash)       in ~/.bashrc
  zsh    source <(becket completion zsh)        in ~/.zshrc
  fish   becket completion fish | source        in ~/.config/fish/config.fish`,
    )
    .action((shell: (typeof SHELLS)[number]) => cli.print(renderCompletion(program, shell)));
}

function createProgram(cli: CliPorts): Command {
  const program = new Command("becket")
    .description("Joins this machine into encrypted WireGuard meshes.")
    .helpCommand(false)
    .addOption(new Option("--version", "the same as the command version"))
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.print(text.trimEnd()),
      writeErr: (text) => cli.printError(text.trimEnd()),
    })
    .showHelpAfterError("(becket --help shows how)")
    .addHelpText(
      "after",
      `
Examples:
  BECKET_TOKEN=bkj_… becket up --url https://becket.example.com
  becket peers
  becket routes
  becket status --json

For operators, by the control plane's API (becket NOUN --help; BECKET_URL and BECKET_API_TOKEN say which and as whom):
${Object.entries(NOUNS)
  .map(([noun, words]) => `  ${noun.padEnd(12)}${words}`)
  .join("\n")}
  completion  a script that completes all of this in bash, zsh or fish

  becket mesh create office --cidr 10.77.0.0/16
  becket machine list --json
  becket token create --mesh office --max-uses 1
  source <(becket completion bash)
${EXIT_CODES_HELP}`,
    );

  withFolders(program.command("up"))
    .summary("enrol this machine if need be, and run the agent in the foreground")
    .description(
      `Enrols this machine when it is not enrolled yet, then runs the agent in the foreground until it is stopped.
Stopping the agent leaves the tunnels up; \`becket down\` removes them.

The join token is taken from the file named by --token-file or BECKET_TOKEN_FILE, or from BECKET_TOKEN; never from the command
line, where every user of the machine could read it. It is needed for the first start only.`,
    )
    .addOption(new Option("--url <url>", "the control plane, for the first start (default: BECKET_URL)"))
    .addOption(new Option("--token-file <file>", "file that holds the join token; - is standard input"))
    .addOption(
      new Option("--metrics <address>", "serve metrics to a Prometheus there (default: BECKET_METRICS, or not)"),
    )
    .addHelpText(
      "after",
      `
Examples:
  BECKET_TOKEN=bkj_… becket up --url https://becket.example.com
  becket up --url https://becket.example.com --token-file /root/token
  pass show becket | becket up --url https://becket.example.com --token-file -
  becket up

Environment:
  BECKET_URL                          as --url
  BECKET_TOKEN_FILE, BECKET_TOKEN     as --token-file, or the token itself, which is in the agent's environment then
  BECKET_STATE_DIR, BECKET_RUN_DIR    as --state-dir and --run-dir
  BECKET_METRICS                      as --metrics: IP:PORT, or a port on 127.0.0.1
  BECKET_ENDPOINTS                    where others reach this machine, if it can't find out: ip:port, comma separated
  BECKET_STUN_SERVERS                 STUN servers instead of the control plane's: host:port, comma separated, or none
  BECKET_ALLOW_EXEC_CHECKS            1: health checks may run programs, as root
  BECKET_ALLOW_UPGRADES               yes: the control plane may upgrade this agent, and so is root here
  BECKET_LOG_LEVEL                    error, warn, info (default), debug or trace
  BECKET_CA_FILE                      certificates (PEM) of more authorities to trust for the control plane
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY   how to reach the control plane
${EXIT_CODES_HELP}`,
    )
    .action((options: UpOptions) => up(options, cli));

  withFolders(program.command("status"))
    .summary("show the machine, its control plane and its meshes")
    .description("Shows the machine, its link to the control plane, its meshes, and what could not be done.")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `\nExamples:\n  becket status\n  becket status --json | jq '.meshes[].address'\n${EXIT_CODES_HELP}`,
    )
    .action((options: ShowOptions) => showStatus(options, cli));

  withFolders(program.command("peers"))
    .summary("show the other machines of every mesh, and whether they are reached")
    .description(
      `Shows every peer: where packets to it go, when it last shook hands, what was received and sent, and its state:
  up       packets pass
  idle     no handshake lately, and none needed: nothing was sent
  waiting  not reached; the word behind it says why
BGP is the session with it, - where the two need none.`,
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `\nExamples:\n  becket peers\n  becket peers --json | jq '.peers[] | select(.state != "up")'\n${EXIT_CODES_HELP}`,
    )
    .action((options: ShowOptions) => showPeers(options, cli));

  withFolders(program.command("explain"))
    .argument("<peer>", "a machine's name or id, or its mesh IP")
    .summary("say how this machine talks to a peer, what was tried, and why it is not better")
    .description(
      `Shows the path to a peer (direct, relayed through the control plane, or through a gateway), each endpoint that was tried with what
became of it, both NATs, why the path is not direct, and when a better one is tried next.`,
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `\nExamples:\n  becket explain build-server\n  becket explain 10.77.0.3 --json\n${EXIT_CODES_HELP}`,
    )
    .action((peer: string, options: ShowOptions) => explain(peer, options, cli));

  withFolders(program.command("netcheck"))
    .summary("measure what stands between this machine and the internet")
    .description(
      `Asks STUN servers from WireGuard's port and shows the NAT in the words of RFC 4787: its mapping and filtering, whether it keeps ports
and lets hosts behind it reach each other by their public endpoints, how long it remembers, and what the router opens on request.`,
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `\nExamples:\n  becket netcheck\n  becket netcheck --json | jq .report.mapping\n${EXIT_CODES_HELP}`,
    )
    .action((options: ShowOptions) => netcheck(options, cli));

  withFolders(program.command("routes"))
    .argument("[prefix]", "only routes that contain this network or address, or are inside it")
    .summary("show the routes that this machine knows of, and which are used")
    .description(
      `Shows the routes of every mesh, as its BIRD has them: * is the one of its prefix that BIRD uses; the machine's own routes to the same
network go before it (ip route). ORIGIN is the member that packets go to, SOURCE who told of it. Routes that import filters refused are shown by --filtered, with the reason.`,
    )
    .addOption(new Option("--filtered", "only routes that were refused, and why"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `\nExamples:\n  becket routes\n  becket routes 192.168.7.0/24\n  becket routes --filtered\n  becket routes --json | jq '.routes[] | select(.isBest)'\n${EXIT_CODES_HELP}`,
    )
    .action((prefix: string | undefined, options: RoutesOptions) => routes(prefix ?? null, options, cli));

  withFolders(program.command("down"))
    .summary("remove this machine's mesh interfaces, and stop the agent")
    .description(
      "Stops the agent when it runs, and removes exactly the interfaces that Becket made. The machine stays enrolled.",
    )
    .addOption(new Option("--forget", "also forget the machine's identity, keys and meshes"))
    .addHelpText("after", `\nExamples:\n  becket down\n  becket down --forget\n${EXIT_CODES_HELP}`)
    .action((options: DownOptions) => down(options, cli));

  withFolders(program.command("version"))
    .summary("show the version of this program and of the running agent")
    .addOption(jsonOption())
    .addHelpText("after", `\nExamples:\n  becket version\n  becket version --json\n${EXIT_CODES_HELP}`)
    .action((options: ShowOptions) => showVersion(options, cli));

  return program;

  function withFolders(command: Command): Command {
    const { env } = cli;
    return command
      .addOption(
        new Option("--state-dir <dir>", "identity, keys, cache").default(env.BECKET_STATE_DIR ?? DEFAULT_STATE_DIR),
      )
      .addOption(new Option("--run-dir <dir>", "the agent's socket").default(env.BECKET_RUN_DIR ?? DEFAULT_RUN_DIR));
  }
}

const jsonOption = (): Option => new Option("--json", "print JSON, for programs");
