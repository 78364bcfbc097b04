// `becket status | peers | version`: what the running agent says.
import { AgentStatus, LOCAL_PATHS, PeerList, type VersionInfo } from "#schema/local/status";
import { WIRE_VERSION } from "#schema/wire/version";
import { VERSION } from "../version.ts";
import type { CliPorts, Folders } from "./cli.ts";
import { createLocalClient, noAgent } from "./client.ts";
import { CommandFailure } from "./exit-codes.ts";
import { renderPeers, renderStatus } from "./render-status.ts";

export interface ShowOptions extends Folders {
  readonly json?: boolean;
}

export async function showStatus(options: ShowOptions, cli: CliPorts): Promise<void> {
  const client = createLocalClient(cli.sockets, options.runDir);
  const status = await client.call({ method: "GET", path: LOCAL_PATHS.status, reply: AgentStatus });
  if (status === null) throw noAgent(options.runDir);
  cli.print(options.json ? renderJson(status) : renderStatus(status, cli.agent.clock.wall()));
}

export async function showPeers(options: ShowOptions, cli: CliPorts): Promise<void> {
  const client = createLocalClient(cli.sockets, options.runDir);
  const list = await client.call({ method: "GET", path: LOCAL_PATHS.peers, reply: PeerList });
  if (list === null) throw noAgent(options.runDir);
  cli.print(options.json ? renderJson(list) : renderPeers(list.peers));
}

/** Tells the running agent's version too, where there is one and the caller may ask it. */
export async function showVersion(options: ShowOptions, cli: CliPorts): Promise<void> {
  const agentVersion = await readAgentVersion(options, cli);
  const node = cli.agent.host.nodeVersion;
  const info: VersionInfo = { version: VERSION, wireVersion: WIRE_VERSION, node, agentVersion };
  if (options.json) return cli.print(renderJson(info));
  const isOld = agentVersion !== null && agentVersion !== VERSION;
  const running = isOld ? `\nThe running agent is version ${agentVersion}: restart it to use this one.` : "";
  cli.print(`becket ${VERSION} (wire version ${WIRE_VERSION}, node ${node})${running}`);
}

async function readAgentVersion(options: ShowOptions, cli: CliPorts): Promise<string | null> {
  const client = createLocalClient(cli.sockets, options.runDir);
  try {
    const status = await client.call({ method: "GET", path: LOCAL_PATHS.status, reply: AgentStatus });
    return status?.version ?? null;
  } catch (error) {
    // Not root, or an agent that does not answer: this program's own version is known all the same.
    if (error instanceof CommandFailure) return null;
    throw error;
  }
}

const renderJson = (value: unknown): string => JSON.stringify(value, null, 2);
