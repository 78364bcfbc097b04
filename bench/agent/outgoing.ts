// Counts what a machine sends, in its own packet rules: messages to the control plane, and UDP.
import type { LabNode } from "../../e2e/lab/node.ts";
import { type Count, parseCounters } from "./parse-counters.ts";

export interface Outgoing {
  /** TCP segments with data to the control plane: a message each, as long as a message is a small one. */
  readonly messages: Count;
  /** Checks, STUN and WireGuard's own. */
  readonly udp: Count;
}

const TABLE = "bench";
const NOTHING: Count = { packets: 0, bytes: 0 };

export async function startCounting(node: LabNode, controlPort: number): Promise<() => Promise<Outgoing>> {
  const rules = `table inet ${TABLE} {
  counter sent_messages { }
  counter sent_udp { }
  chain out {
    type filter hook output priority filter; policy accept;
    oifname "eth0" tcp dport ${controlPort} tcp flags & psh == psh counter name sent_messages
    oifname "eth0" meta l4proto udp counter name sent_udp
  }
}
`;
  await node.exec(["nft", "-f", "-"], { input: rules });
  return async () => {
    const { stdout } = await node.exec(["nft", "--json", "reset", "counters", "table", "inet", TABLE]);
    const counts = parseCounters(stdout);
    return { messages: counts.get("sent_messages") ?? NOTHING, udp: counts.get("sent_udp") ?? NOTHING };
  };
}
