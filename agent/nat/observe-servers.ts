// Asks all STUN servers at once how they see one socket.
import type { StunServer } from "#schema/nat";
import type { StunAnswer, StunClient } from "../stun/stun-client.ts";
import type { ResolveHost } from "../system/resolve-host.ts";
import { findTargets, type StunTarget } from "./targets.ts";

/** What became of one question. */
export interface ServerObservation {
  readonly target: StunTarget;
  /** Null: silence, or a refusal. */
  readonly answer: StunAnswer | null;
}

export interface ObserveOptions {
  readonly client: StunClient;
  readonly servers: readonly StunServer[];
  readonly localAddresses: readonly string[];
  readonly resolveHost: ResolveHost;
  readonly signal: AbortSignal;
  /** After each question, with what is known so far. */
  readonly onProgress: (observations: readonly ServerObservation[]) => void;
}

/** Ends when the slowest server answered or was given up on; at once when aborted, but for a name that is being resolved. */
export async function observeServers(options: ObserveOptions): Promise<ServerObservation[]> {
  const { client, servers, localAddresses, resolveHost, signal, onProgress } = options;
  const observations: ServerObservation[] = [];
  const ask = async (target: StunTarget) => {
    observations.push({ target, answer: await client.binding(target.endpoint, { signal }) });
    onProgress(observations);
  };
  const askServer = async (server: StunServer) => {
    const targets = await findTargets(server, resolveHost, localAddresses);
    await Promise.all(targets.map(ask));
  };
  await Promise.all([...new Set(servers)].map(askServer));
  return observations;
}
