// Keeps the packet rules in force, in chains of their own. One writer: calls are served one after the other, and of those that wait
// only the newest is carried out, because each says all that is wanted.
import { REMOVAL_SCRIPT, readTable, runRemoval, runScript } from "../net/nft/nft-table.ts";
import type { Exec } from "../system/exec.ts";
import { isSameRules, type PacketRules, parsePacketRules, renderPacketRules } from "./packet-rules.ts";

export interface PacketFilter {
  /**
   * Does nothing when that is in force. Rejects with a CommandError when nft is missing or refuses; then what was in force stays.
   * Somebody else's `nft flush ruleset` takes the table away, so it pays to call this again from time to time.
   */
  set(rules: PacketRules): Promise<void>;
  /** What is in force. Null: none of it, or not as we would write it. Rejects as set does. */
  read(): Promise<PacketRules | null>;
  /** Nothing of Becket's table is left afterwards; may be called again. Without nft there is nothing to remove. */
  remove(): Promise<void>;
}

export function createPacketFilter(exec: Exec): PacketFilter {
  let running: Promise<void> = Promise.resolve();
  let waiting: { rules: PacketRules | null; done: Promise<void> } | undefined;

  /** Null: remove the table. */
  function want(rules: PacketRules | null): Promise<void> {
    if (waiting !== undefined) {
      waiting.rules = rules;
      return waiting.done;
    }
    const start = async () => {
      const wanted = waiting?.rules ?? null;
      waiting = undefined;
      await (wanted === null ? runRemoval(exec, REMOVAL_SCRIPT) : write(wanted));
    };
    const done = running.then(start);
    waiting = { rules, done };
    running = done.catch(() => undefined);
    return done;
  }

  async function write(rules: PacketRules): Promise<void> {
    const inForce = await read();
    if (inForce !== null && isSameRules(inForce, rules)) return;
    await runScript(exec, renderPacketRules(rules));
  }

  async function read(): Promise<PacketRules | null> {
    const listed = await readTable(exec);
    return listed === null ? null : parsePacketRules(listed);
  }

  return { set: want, read, remove: () => want(null) };
}
