// Keeps what came in on one of our interfaces from leaving by any other but those that it may. Each interface has a chain of its own, so
// that the meshes of a machine don't write over each other's.
import { type Exec, isCommandError } from "../../system/exec.ts";
import { isParseError } from "../../system/parse-error.ts";
import { type Forwarding, parseGuards, renderGuard, renderGuardRemoval } from "./forward-rules.ts";
import { LAN_REMOVAL_SCRIPT, type LanGuard, parseLanGuards, renderLanGuards } from "./lan-rules.ts";
import { readTable, runRemoval, runScript } from "./nft-table.ts";

export interface ForwardGuard {
  /** What nft doesn't tell guards nothing. */
  read(): Promise<Guards>;
  /** Rejects with a CommandError when nft is missing or refuses; then what was in force stays. */
  set(interfaceName: string, forwarding: Forwarding): Promise<void>;
  /** May be called again. */
  remove(interfaceName: string): Promise<void>;
  /** Of all interfaces that lead to announced networks; none: no rules. Rejects as `set` does. */
  setLan(guards: readonly LanGuard[]): Promise<void>;
}

export interface Guards {
  /** Where what came in may leave, by the interface that it came in on. */
  readonly meshes: ReadonlyMap<string, Forwarding>;
  readonly lan: readonly LanGuard[];
}

const NONE: Guards = { meshes: new Map(), lan: [] };

export function createForwardGuard(exec: Exec): ForwardGuard {
  return {
    async read() {
      try {
        const listed = await readTable(exec);
        return listed === null ? NONE : { meshes: parseGuards(listed), lan: parseLanGuards(listed) };
      } catch (error) {
        if (!isCommandError(error) && !isParseError(error)) throw error;
        return NONE;
      }
    },
    set: (interfaceName, forwarding) => runScript(exec, renderGuard(interfaceName, forwarding)),
    remove: (interfaceName) => runRemoval(exec, renderGuardRemoval(interfaceName)),
    setLan: (guards) =>
      guards.length === 0 ? runRemoval(exec, LAN_REMOVAL_SCRIPT) : runScript(exec, renderLanGuards(guards)),
  };
}
