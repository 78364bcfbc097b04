import type { MachineId } from "#schema/ids";
import type { LiveTelemetry } from "#schema/live/messages";
import type { PeerExplanation, PeerTelemetry } from "#schema/path";
import type { MemberTelemetry } from "../rpc.ts";

/** @param explain the peers whose explanations go along; all others come as they are in lists */
export function toLiveTelemetry(
  machineId: MachineId,
  { peers, receivedAt, endpoints, nat, announcements }: MemberTelemetry,
  explain: readonly MachineId[],
): LiveTelemetry {
  return {
    ...{ type: "live.telemetry", machineId, receivedAt, endpoints, nat, announcements },
    peers: peers.map(toPeerTelemetry),
    explanations: peers.filter((peer) => explain.includes(peer.machineId)),
  };
}

/** A peer as lists show it. */
export const toPeerTelemetry = ({
  candidates,
  localNat,
  peerNat,
  nextTryAt,
  since,
  ...summary
}: PeerExplanation): PeerTelemetry => summary;
