// `becket up`: enrols when that is needed, then is the daemon.
import { AgentStatus, LOCAL_PATHS } from "#schema/local/status";
import type { StepFailure } from "#schema/machine";
import { type Agent, type AgentEnd, createAgent } from "../agent.ts";
import { DEFAULT_LIBRARY_DIR, DEFAULT_TIMINGS } from "../config.ts";
import { type MetricsServer, startMetricsServer } from "../metrics/metrics-server.ts";
import { createLocalApi } from "./api.ts";
import type { CliPorts, Folders } from "./cli.ts";
import { createLocalClient, toSocketFile } from "./client.ts";
import { parseControlPlaneUrl } from "./control-plane-url.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { parsePathSettings } from "./path-settings.ts";
import { requirePrograms, requireRoot } from "./requirements.ts";
import { takeNetwork } from "./take-network.ts";
import { tellServiceManager } from "./tell-service-manager.ts";

export interface UpOptions extends Folders {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly metrics?: string;
}

/** Returns when the agent was asked to stop; the tunnels stay. */
export async function up(options: UpOptions, cli: CliPorts): Promise<void> {
  requireRoot(cli.isRoot, "`becket up`");
  const url = parseControlPlaneUrl(options.url ?? cli.env.BECKET_URL ?? null);
  const tokenFile = options.tokenFile ?? (cli.env.BECKET_TOKEN_FILE || null);
  const metricsAddress = parseMetricsAddress(options.metrics, cli.env.BECKET_METRICS);
  const { agent: ports } = cli;
  const agent = createAgent(ports, {
    ...options,
    credentials: {
      url,
      readToken: (signal) => readToken(tokenFile, cli, signal),
      onTokenUnused: () => warnOfTokenFile(tokenFile, cli),
    },
    timings: DEFAULT_TIMINGS,
    paths: parsePathSettings(cli.env),
    allowsExecChecks: cli.env.BECKET_ALLOW_EXEC_CHECKS === "1",
    upgrades: {
      isAllowed: ["yes", "1"].includes(cli.env.BECKET_ALLOW_UPGRADES ?? ""),
      libraryDir: DEFAULT_LIBRARY_DIR,
      startsInstaller: cli.env.BECKET_STARTS_UPGRADES === "yes",
    },
    findWireGuard: (wireguard) => requirePrograms(ports.exec, wireguard, ports.host.pid),
    onUp: () => tellServiceManager(ports, cli.env),
  });
  // First of all: what follows makes an interface to see whether it can, and another agent may be at work.
  let metrics: MetricsServer | null = null;
  const listFailures = () => metrics?.failures() ?? [];
  const server = await takeSocket(options, cli, withFailures(agent, listFailures));
  try {
    const lock = await takeNetwork(cli.sockets);
    try {
      const metricsPorts = { ...ports, listenHttp: cli.listenHttp, read: agent.metrics };
      if (metricsAddress !== null) metrics = startMetricsServer(metricsPorts, metricsAddress);
      finish(await agent.run(cli.stopSignal), cli);
    } finally {
      await metrics?.close();
      await lock.close();
    }
  } finally {
    await server.close();
  }
}

/** What fails beside the agent is shown with its own failures. */
const withFailures = (agent: Agent, listFailures: () => readonly StepFailure[]): Agent => ({
  ...agent,
  async status() {
    const status = await agent.status();
    return { ...status, failures: [...status.failures, ...listFailures()] };
  },
});

async function takeSocket({ runDir }: Folders, cli: CliPorts, agent: Agent) {
  const server = await serve(runDir, cli, agent);
  if (server !== null) return server;
  const other = await createLocalClient(cli.sockets, runDir).call({
    method: "GET",
    path: LOCAL_PATHS.status,
    reply: AgentStatus,
  });
  const who = other === null ? "" : ` (process ${other.pid}, version ${other.version})`;
  const message = `An agent runs here already${who}. See \`becket status\`; stop it before you start another one.`;
  throw new CommandFailure(EXIT_CODES.alreadyRunning, message);
}

async function serve(runDir: string, cli: CliPorts, agent: Agent) {
  try {
    await cli.agent.files.ensureFolder(runDir);
    return await cli.sockets.serve(toSocketFile(runDir), createLocalApi(agent));
  } catch (error) {
    const message = `The agent's socket can't be in ${runDir}: ${toText(error)}. Choose another --run-dir.`;
    throw new CommandFailure(EXIT_CODES.failed, message, { cause: error });
  }
}

async function readToken(tokenFile: string | null, cli: CliPorts, signal: AbortSignal): Promise<string | null> {
  if (tokenFile === "-") return clean(await cli.readStdin(signal));
  if (tokenFile === null) return clean(cli.env.BECKET_TOKEN ?? "");
  return clean(await readTokenFile(tokenFile, cli));
}

async function readTokenFile(file: string, { agent }: CliPorts): Promise<string> {
  const message = `The join token can't be read from ${file}`;
  try {
    const text = await agent.files.read(file);
    if (text !== null) return text;
  } catch (error) {
    throw new CommandFailure(EXIT_CODES.usage, `${message}: ${toText(error)}.`, { cause: error });
  }
  throw new CommandFailure(EXIT_CODES.usage, `${message}: there is no file ${file}.`);
}

/** An enrolled machine starts all the same: a token file is often removed once it was used. */
async function warnOfTokenFile(tokenFile: string | null, cli: CliPorts): Promise<void> {
  if (tokenFile === null || tokenFile === "-") return;
  try {
    await readTokenFile(tokenFile, cli);
  } catch (error) {
    cli.agent.log.warn("the token file is not needed, for this machine is enrolled, but it can't be read either", {
      error,
    });
  }
}

const toText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const clean = (text: string): string | null => (text.trim() === "" ? null : text.trim());

function finish(end: AgentEnd, cli: CliPorts): void {
  switch (end.code) {
    case "stopped":
      cli.agent.log.info("stopped; the tunnels stay as they are");
      return;
    case "down":
      cli.agent.log.info("down: every interface of ours is gone");
      return;
    case "machine_removed":
      throw new CommandFailure(EXIT_CODES.machineRemoved, end.message);
    case "not_enrolled":
      throw new CommandFailure(EXIT_CODES.notEnrolled, end.message);
  }
}
