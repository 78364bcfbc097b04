// What could not be done, in the words of the machine report. Pure.
import type { StepFailure } from "#schema/machine";
import { isCommandError } from "../system/exec.ts";
import { isParseError } from "../system/parse-error.ts";
import { KeyMismatchError, UnguardedError } from "./execute.ts";

export type Failure = Omit<StepFailure, "since">;

const MAX_MESSAGE_LENGTH = 1_024;

export function toFailure(step: string, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { step, code: toCode(error), message: message.slice(0, MAX_MESSAGE_LENGTH) };
}

/** A failure that lasts keeps the time at which it began. */
export function keepSince(failures: readonly Failure[], before: readonly StepFailure[], wallMs: number): StepFailure[] {
  return failures.map((failure) => {
    const same = before.find(({ step, code }) => step === failure.step && code === failure.code);
    return { ...failure, since: same?.since ?? new Date(wallMs).toISOString() };
  });
}

function toCode(error: unknown): string {
  if (error instanceof KeyMismatchError) return "key_mismatch";
  if (error instanceof UnguardedError) return "forwarding_unguarded";
  if (isParseError(error)) return "output_not_understood";
  if (!isCommandError(error)) return "unexpected";
  if (error.timedOut) return "command_timed_out";
  if (error.exitCode === null && error.signal === null) return "command_missing";
  if (/Address already in use/.test(error.stderrTail)) return "port_in_use";
  if (/Operation not permitted/.test(error.stderrTail)) return "not_permitted";
  return "command_failed";
}
