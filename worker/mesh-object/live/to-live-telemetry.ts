import type { MachineId } from "#schema/ids";
import type { LiveTelemetry } from "#schema/live/messages";
import { toPeerTelemetry } from "#schema/path";
import type { MemberTelemetry } from "../rpc.ts";

/** @param explain the peers whose explanations go along; all others come as they are in lists */
export function toLiveTelemetry(
  machineId: MachineId,
  { peers, receivedAt, endpoints, nat, announcements }: MemberTelemetry,
  explain: readonly MachineId[],
): Omit<LiveTelemetry, "mark"> {
  return {
    ...{ type: "live.telemetry", machineId, receivedAt, endpoints, nat, announcements },
    peers: peers.map(toPeerTelemetry),
    explanations: peers.filter((peer) => explain.includes(peer.machineId)),
  };
}
