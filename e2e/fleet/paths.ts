// How pairs talk, as both ends' agents tell it.
import type { PeerStatus } from "#schema/local/status";
import type { PathKind } from "#schema/path";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import type { Fleet } from "./fleet.ts";
import { readPeers } from "./local-api.ts";

/** `to` as `from` sees it, in the one mesh that both are in; rejects while it does not. */
export async function readPeer(from: LabNode, to: string): Promise<PeerStatus> {
  const peer = (await readPeers(from)).find((candidate) => candidate.machine === to);
  if (!peer) throw new Error(`${from.name} does not know ${to} yet`);
  return peer;
}

/** Waits until both ends say so; what each sees then. */
export function untilPath(
  fleet: Fleet,
  [one, other]: readonly [string, string],
  path: PathKind,
  { withinMs = 60_000 } = {},
): Promise<PeerStatus[]> {
  const look = async () => {
    const seen = await Promise.all([readPeer(fleet.lab.machine(one), other), readPeer(fleet.lab.machine(other), one)]);
    if (seen.every((peer) => peer.path === path)) return seen;
    throw new Error(seen.map((peer) => `${peer.machine} ${peer.path}, ${peer.pathReason?.message}`).join("; "));
  };
  return eventually(look, { withinMs, describe: `${one} and ${other} are ${path}` });
}
