// `becket routes`: what this machine's BIRDs know.
import { LOCAL_PATHS, RoutesReply } from "#schema/local/status";
import { Prefix } from "#schema/prefix";
import type { CliPorts } from "./cli.ts";
import { createLocalClient, noAgent } from "./client.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";
import { renderRoutes } from "./render-routes.ts";
import type { ShowOptions } from "./show.ts";

export interface RoutesOptions extends ShowOptions {
  readonly filtered?: boolean;
}

export async function routes(text: string | null, options: RoutesOptions, cli: CliPorts): Promise<void> {
  const prefix = text === null ? null : parsePrefix(text);
  const client = createLocalClient(cli.sockets, options.runDir);
  const call = { method: "POST", path: LOCAL_PATHS.routes, body: { prefix }, reply: RoutesReply } as const;
  const reply = await client.call(call);
  if (reply === null) throw noAgent(options.runDir);
  const isFiltered = options.filtered ?? false;
  const isWanted = (route: RoutesReply["routes"][number]) => (route.filterReason !== null) === isFiltered;
  const shown = { ...reply, routes: reply.routes.filter(isWanted) };
  const refusedCount = isFiltered ? 0 : reply.routes.length - shown.routes.length;
  const render = () => renderRoutes(shown, { nowMs: cli.agent.clock.wall(), isFiltered, refusedCount });
  cli.print(options.json ? JSON.stringify(shown, null, 2) : render());
}

function parsePrefix(text: string): Prefix {
  const asNetwork = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`;
  const parsed = Prefix.safeParse(asNetwork);
  if (parsed.success) return parsed.data;
  throw new CommandFailure(EXIT_CODES.usage, `${text} ${parsed.error.issues[0]?.message ?? "is no network"}`);
}
