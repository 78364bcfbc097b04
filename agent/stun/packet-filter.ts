// Keeps the packet rules in force, in an nft table of its own. One writer: calls are served one after the other, and of those that wait
// only the newest is carried out, because each says all that is wanted.
import { type Exec, isCommandError } from "../system/exec.ts";
import {
  isSameRules,
  type PacketRules,
  parsePacketRules,
  REMOVAL_SCRIPT,
  renderPacketRules,
  TABLE,
} from "./packet-rules.ts";

export interface PacketFilter {
  /**
   * Does nothing when that is in force. Rejects with a CommandError when nft is missing or refuses; then what was in force stays.
   * Somebody else's `nft flush ruleset` takes the table away, so it pays to call this again from time to time.
   */
  set(rules: PacketRules): Promise<void>;
  /** What is in force. Null: no table of ours, or none that we would write. Rejects as set does. */
  read(): Promise<PacketRules | null>;
  /** Nothing is left afterwards; may be called again. Without nft there is nothing to remove. */
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
      await (wanted === null ? remove() : write(wanted));
    };
    const done = running.then(start);
    waiting = { rules, done };
    running = done.catch(() => undefined);
    return done;
  }

  async function write(rules: PacketRules): Promise<void> {
    const inForce = await read();
    if (inForce !== null && isSameRules(inForce, rules)) return;
    await exec.run(["nft", "-f", "-"], { stdin: renderPacketRules(rules) });
  }

  async function read(): Promise<PacketRules | null> {
    try {
      return parsePacketRules((await exec.run(["nft", "-j", "list", "table", "inet", TABLE])).stdout);
    } catch (error) {
      // nft's words for a table that isn't there.
      if (isCommandError(error) && error.exitCode === 1 && error.stderrTail.includes("No such file or directory"))
        return null;
      throw error;
    }
  }

  async function remove(): Promise<void> {
    try {
      await exec.run(["nft", "-f", "-"], { stdin: REMOVAL_SCRIPT });
    } catch (error) {
      if (!isMissingProgram(error)) throw error;
    }
  }

  return { set: want, read, remove: () => want(null) };
}

const isMissingProgram = (error: unknown): boolean =>
  isCommandError(error) && error.cause instanceof Error && "code" in error.cause && error.cause.code === "ENOENT";
