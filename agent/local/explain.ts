// `becket explain PEER` and `becket netcheck`: why a path is what it is, and what this machine's network is like.
import { ExplainReply, LOCAL_PATHS, NetcheckReply } from "#schema/local/status";
import type { CliPorts } from "./cli.ts";
import { createLocalClient, noAgent } from "./client.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";
import { renderExplanation } from "./render-explanation.ts";
import { renderNetcheck } from "./render-netcheck.ts";
import type { ShowOptions } from "./show.ts";

export async function explain(peer: string, options: ShowOptions, cli: CliPorts): Promise<void> {
  const client = createLocalClient(cli.sockets, options.runDir);
  const call = { method: "POST", path: LOCAL_PATHS.explain, body: { peer }, reply: ExplainReply } as const;
  const reply = await client.call(call);
  if (reply === null) throw noAgent(options.runDir);
  if (reply.paths.length === 0) {
    throw new CommandFailure(
      EXIT_CODES.failed,
      `No mesh of this machine has a peer "${peer}". \`becket peers\` lists them; a name, a machine id or a mesh IP will do.`,
    );
  }
  const nowMs = cli.agent.clock.wall();
  cli.print(
    options.json
      ? JSON.stringify(reply, null, 2)
      : reply.paths.map((path) => renderExplanation(path, nowMs)).join("\n\n"),
  );
}

export async function netcheck(options: ShowOptions, cli: CliPorts): Promise<void> {
  const client = createLocalClient(cli.sockets, options.runDir);
  const reply = await client.call({ method: "POST", path: LOCAL_PATHS.netcheck, body: {}, reply: NetcheckReply });
  if (reply === null) throw noAgent(options.runDir);
  if (options.json) return cli.print(JSON.stringify(reply, null, 2));
  if (reply.report === null) {
    throw new CommandFailure(
      EXIT_CODES.failed,
      "There is nothing to check from: this machine is in no mesh yet, or its control plane names no STUN servers.",
    );
  }
  cli.print(renderNetcheck(reply.report));
}
