// Keeps what came in on one of our interfaces from leaving by any other but those that it may. Each interface has a chain of its own, so
// that the meshes of a machine don't write over each other's.
import { type Exec, isCommandError } from "../../system/exec.ts";
import { isParseError } from "../../system/parse-error.ts";
import { parseGuards, renderGuard, renderGuardRemoval } from "./forward-rules.ts";
import { readTable, runRemoval, runScript } from "./nft-table.ts";

export interface ForwardGuard {
  /** Where what came in may leave, by the interface that it came in on; what nft doesn't tell guards nothing. */
  read(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Rejects with a CommandError when nft is missing or refuses; then what was in force stays. */
  set(interfaceName: string, to: readonly string[]): Promise<void>;
  /** May be called again. */
  remove(interfaceName: string): Promise<void>;
}

export function createForwardGuard(exec: Exec): ForwardGuard {
  return {
    async read() {
      try {
        const listed = await readTable(exec);
        return listed === null ? new Map() : parseGuards(listed);
      } catch (error) {
        if (!isCommandError(error) && !isParseError(error)) throw error;
        return new Map();
      }
    },
    set: (interfaceName, to) => runScript(exec, renderGuard(interfaceName, to)),
    remove: (interfaceName) => runRemoval(exec, renderGuardRemoval(interfaceName)),
  };
}
