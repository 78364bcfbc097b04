// What this machine's own network looks like, and when it changes.
import type { Clock } from "../system/clock.ts";
import type { Exec } from "../system/exec.ts";
import { INTERFACE_PREFIX } from "./interface-name.ts";
import { createIp } from "./ip.ts";
import { type LocalAddress, toLocalAddresses } from "./local-addresses.ts";

export interface LocalNetwork {
  /** Addresses that others on the same network, or everywhere, may reach; without loopback, link-local, containers and our own tunnels. */
  addresses(): Promise<LocalAddress[]>;
  /** Calls `onChange` after the machine's addresses changed and then stayed the same for a moment, until the signal aborts. */
  watchChanges(onChange: () => void, signal: AbortSignal): void;
}

interface Ports {
  readonly exec: Exec;
  readonly clock: Clock;
  /** `readNetworkFingerprint`. */
  readonly readFingerprint: (ignoredPrefix: string) => string;
}

/**
 * A look costs some 50 µs, so a poll is cheaper than a process of `ip monitor`, which an agent that is killed would leave behind.
 * A change is taken once two looks in a row agree: DHCP and IPv6 come in several steps.
 */
const LOOK_INTERVAL_MS = 1_000;

export function createLocalNetwork({ exec, clock, readFingerprint }: Ports): LocalNetwork {
  const ip = createIp(exec);
  return {
    addresses: async () => toLocalAddresses(await ip.readLinks()),
    watchChanges(onChange, signal) {
      let told = readFingerprint(INTERFACE_PREFIX);
      let last = told;
      let cancel = clock.setTimer(LOOK_INTERVAL_MS, look);
      signal.addEventListener("abort", () => cancel(), { once: true });

      function look() {
        if (signal.aborted) return;
        const current = readFingerprint(INTERFACE_PREFIX);
        if (current === last && current !== told) {
          told = current;
          onChange();
        }
        last = current;
        cancel = clock.setTimer(LOOK_INTERVAL_MS, look);
      }
    },
  };
}
