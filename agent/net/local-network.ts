// What this machine's own network looks like, and when it changes.
import type { Clock } from "../system/clock.ts";
import type { Exec } from "../system/exec.ts";
import { INTERFACE_PREFIX } from "./interface-name.ts";
import { createIp } from "./ip.ts";
import { type LocalAddress, toLocalAddresses } from "./local-addresses.ts";

export interface LocalNetwork {
  /** Addresses that others on the same network, or everywhere, may reach; without loopback, link-local, containers and our own tunnels. */
  addresses(): Promise<LocalAddress[]>;
  watchChanges(listeners: NetworkListeners, signal: AbortSignal): void;
}

export interface NetworkListeners {
  /** The machine's addresses changed, and then stayed the same for a moment. */
  readonly onAddresses: () => void;
  /** An interface of ours is gone, or an address on one; whoever took it. */
  readonly onTunnelGone: () => void;
}

interface Ports {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly listInterfaceAddresses: () => readonly string[];
}

/**
 * A look costs some 50 µs, so a poll is cheaper than a process of `ip monitor`, which an agent that is killed would leave behind.
 * A change is taken once two looks in a row agree: DHCP and IPv6 come in several steps.
 */
const LOOK_INTERVAL_MS = 1_000;

export function createLocalNetwork({ exec, clock, listInterfaceAddresses }: Ports): LocalNetwork {
  const ip = createIp(exec);
  const look = () => {
    const lines = listInterfaceAddresses();
    const isOurs = (line: string) => line.startsWith(INTERFACE_PREFIX);
    return { tunnels: lines.filter(isOurs), others: lines.filter((line) => !isOurs(line)).join("\n") };
  };
  return {
    addresses: async () => toLocalAddresses(await ip.readLinks()),
    watchChanges({ onAddresses, onTunnelGone }, signal) {
      let last = look();
      let told = last.others;
      let cancel = clock.setTimer(LOOK_INTERVAL_MS, lookAgain);
      signal.addEventListener("abort", () => cancel(), { once: true });

      function lookAgain() {
        if (signal.aborted) return;
        const current = look();
        if (last.tunnels.some((line) => !current.tunnels.includes(line))) onTunnelGone();
        if (current.others === last.others && current.others !== told) {
          told = current.others;
          onAddresses();
        }
        last = current;
        cancel = clock.setTimer(LOOK_INTERVAL_MS, lookAgain);
      }
    },
  };
}
