// What kernels dropped: whoever looks for a lost packet wants to know whether it got as far as a wire, a socket or a NAT.
import type { LabNode } from "../../lab/node.ts";

/** Of one node, by the name that the kernel gives to it. */
export type Counters = ReadonlyMap<string, number>;

/** What ends a packet. The rest of these files counts what is no loss. */
const OF_LOSS =
  /^(Udp6?(InErrors|RcvbufErrors|SndbufErrors|InCsumErrors|MemErrors)|Ip6?(In|Out)(Discards|NoRoutes|HdrErrors)|insert_failed|drop|early_drop|.*\/(dropped|errors))$/;

export interface Dropped {
  /** What each kernel counted since the last time, in words. */
  take(): Promise<string[]>;
}

export function watchDropped(nodes: readonly LabNode[]): Dropped {
  let before: readonly Counters[] = [];
  return {
    async take() {
      const now = await Promise.all(nodes.map(readCounters));
      const news = nodes.flatMap(({ name }, index) => renderGrowth(name, before[index], now[index]));
      before = now;
      return news;
    },
  };
}

const SCRIPT = "nstat -asz; cat /proc/net/dev; conntrack -S 2>/dev/null || true";

async function readCounters(node: LabNode): Promise<Counters> {
  const { stdout } = await node.exec(["sh", "-c", SCRIPT], { timeoutMs: 10_000 });
  return parseCounters(stdout);
}

/** Of `nstat` (a name and a number), /proc/net/dev (a device and 16) and `conntrack -S` (`name=number`, for each processor). */
export function parseCounters(text: string): Counters {
  const found = new Map<string, number>();
  const add = (name: string, value: string | undefined) => {
    if (OF_LOSS.test(name)) found.set(name, (found.get(name) ?? 0) + Number(value));
  };
  for (const line of text.split("\n")) {
    const device = /^\s*([^\s:]+):\s+(\d[\d\s]*)$/.exec(line);
    const numbers = device?.[2]?.trim().split(/\s+/) ?? [];
    if (device) {
      const [errors, dropped] = [2, 3].map((at) => Number(numbers[at]) + Number(numbers[at + 8]));
      add(`${device[1]}/errors`, String(errors));
      add(`${device[1]}/dropped`, String(dropped));
    } else if (line.startsWith("cpu=")) {
      for (const [, name = "", value] of line.matchAll(/(\w+)=(\d+)/g)) add(name, value);
    } else {
      const [, name = "", value] = /^(\w+)\s+(\d+)/.exec(line) ?? [];
      add(name, value);
    }
  }
  return found;
}

function renderGrowth(node: string, before: Counters | undefined, now: Counters | undefined): string[] {
  const grown = [...(now ?? [])].flatMap(([name, count]) => {
    const by = count - (before?.get(name) ?? 0);
    return before && by > 0 ? [`${name} ${by}`] : [];
  });
  return grown.length === 0 ? [] : [`${node}'s kernel counted ${grown.join(", ")}`];
}
