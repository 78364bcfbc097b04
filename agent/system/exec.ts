// Runs other programs. Argv arrays only, never a shell; always a timeout; output capped; a small, fixed environment, so that
// nothing in ours (LOG_LEVEL or WG_PROCESS_FOREGROUND, which wireguard-go reads) changes what a program does.
// Secrets never go in argv: by stdin, or by the path of a 0600 file.
import { spawn } from "node:child_process";

export type Argv = readonly [program: string, ...args: string[]];

export interface RunOptions {
  /** Written to the program, then closed. Without it stdin is empty. */
  readonly stdin?: string;
  /** After this time the program is killed and the run fails with `timedOut`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Own session, so that a daemon which the program leaves behind outlives the agent and gets none of its terminal's signals. */
  readonly isDetached?: boolean;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exec {
  /** Resolves when the program exits with 0; else rejects with a CommandError, or with the signal's reason when aborted. */
  run(argv: Argv, options?: RunOptions): Promise<Output>;
}

export const DEFAULT_TIMEOUT_MS = 10_000;
/** A dump of 5,000 peers is about 1 MB. */
const MAX_OUTPUT_CHARS = 8 * 1024 * 1024;
const STDERR_TAIL_CHARS = 600;
const ARGV_SHOWN_CHARS = 300;
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

interface CommandFailure {
  readonly argv: Argv;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly reason: string;
}

/** The program could not be started, failed, was killed, took too long or said too much. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly argv: Argv;
  /** Null when it did not exit by itself. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderrTail: string;
  readonly timedOut: boolean;

  constructor(failure: CommandFailure, options?: ErrorOptions) {
    const stderrTail = failure.stderr.trim().slice(-STDERR_TAIL_CHARS);
    const shown = failure.argv.join(" ");
    const command = shown.length > ARGV_SHOWN_CHARS ? `${shown.slice(0, ARGV_SHOWN_CHARS)}…` : shown;
    super(`${command}: ${failure.reason}${stderrTail === "" ? "" : `: ${stderrTail}`}`, options);
    this.argv = failure.argv;
    this.exitCode = failure.exitCode;
    this.signal = failure.signal;
    this.stderrTail = stderrTail;
    this.timedOut = failure.timedOut;
  }
}

export function isCommandError(error: unknown): error is CommandError {
  return error instanceof CommandError;
}

export function createExec(inherited: Readonly<Record<string, string | undefined>>): Exec {
  const path = inherited.PATH === undefined ? SYSTEM_PATH : `${inherited.PATH}:${SYSTEM_PATH}`;
  const env = { PATH: path, LC_ALL: "C" };
  return { run: (argv, options = {}) => runProgram(argv, options, env) };
}

function runProgram(argv: Argv, options: RunOptions, env: Record<string, string>): Promise<Output> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const [program, ...args] = argv;
    const child = spawn(program, args, { env, detached: options.isDetached ?? false, stdio: "pipe" });
    let timedOut = false;
    let tooMuch = false;
    let startError: Error | undefined;
    const kill = () => child.kill("SIGKILL");
    const onTooMuch = () => {
      tooMuch = true;
      kill();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
      // A grandchild that kept our pipes would hold "close" back for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    }, timeoutMs);
    const stdout = collect(child.stdout, onTooMuch);
    const stderr = collect(child.stderr, onTooMuch);
    signal?.addEventListener("abort", kill, { once: true });
    child.on("error", (error) => {
      startError = error;
    });
    // The program may exit without reading its stdin; its exit code says what that means.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    child.on("close", (exitCode, killedBy) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
      if (exitCode === 0 && startError === undefined) {
        resolve({ stdout: stdout(), stderr: stderr() });
      } else if (signal?.aborted) {
        reject(signal.reason);
      } else {
        const reason = toReason({ timedOut, timeoutMs, tooMuch, startError, exitCode, killedBy });
        const failure = { argv, exitCode, signal: killedBy, stderr: stderr(), timedOut, reason };
        reject(new CommandError(failure, startError && { cause: startError }));
      }
    });
  });
}

function collect(stream: NodeJS.ReadableStream, onTooMuch: () => void): () => string {
  const chunks: string[] = [];
  let length = 0;
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    length += chunk.length;
    if (length > MAX_OUTPUT_CHARS) onTooMuch();
    else chunks.push(chunk);
  });
  return () => chunks.join("");
}

interface Ending {
  readonly timedOut: boolean;
  readonly timeoutMs: number;
  readonly tooMuch: boolean;
  readonly startError: Error | undefined;
  readonly exitCode: number | null;
  readonly killedBy: string | null;
}

function toReason(ending: Ending): string {
  if (ending.startError !== undefined) return `could not be run (${ending.startError.message})`;
  if (ending.timedOut) return `took longer than ${ending.timeoutMs} ms`;
  if (ending.tooMuch) return "printed too much";
  return ending.exitCode === null ? `was killed by ${ending.killedBy}` : `exited with ${ending.exitCode}`;
}
