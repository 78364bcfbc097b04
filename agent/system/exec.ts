// Runs other programs. Argv arrays only, never a shell; always a timeout; output capped; a small, fixed environment, so that
// nothing in ours (LOG_LEVEL or WG_PROCESS_FOREGROUND, which wireguard-go reads) changes what a program does.
// Secrets never go in argv: by stdin, or by the path of a 0600 file.
import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";

export type Argv = readonly [program: string, ...args: string[]];

export interface RunOptions {
  /** Written to the program, then closed. Without it stdin is empty. */
  readonly stdin?: string;
  /** After this time the program is killed and the run fails with `timedOut`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Own session, so that a daemon which the program leaves behind outlives the agent and gets none of its terminal's signals. */
  readonly isDetached?: boolean;
  /** A process group of its own, and all of it is killed where the program would be: whoever it started doesn't outlive it. */
  readonly killsGroup?: boolean;
  /** It is killed when it prints more, each on stdout and stderr. */
  readonly maxOutputChars?: number;
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
/** The rest may be hundreds of peers with their keys and addresses, which are not for a log. */
const ARGS_SHOWN = 4;
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
    super(`${renderArgv(failure.argv)}: ${failure.reason}${stderrTail === "" ? "" : `: ${stderrTail}`}`, options);
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

const toPath = ({ PATH }: Readonly<Record<string, string | undefined>>): string =>
  PATH === undefined ? SYSTEM_PATH : `${PATH}:${SYSTEM_PATH}`;

/** What every program that we run gets to see. */
export const toEnvironment = (inherited: Readonly<Record<string, string | undefined>>): Record<string, string> => ({
  PATH: toPath(inherited),
  LC_ALL: "C",
});

export function createExec(inherited: Readonly<Record<string, string | undefined>>): Exec {
  const env = toEnvironment(inherited);
  return { run: (argv, options = {}) => runProgram(argv, options, env) };
}

/** Whether the program is where `createExec` looks for it. */
export function createHasProgram(inherited: Readonly<Record<string, string | undefined>>) {
  const folders = toPath(inherited).split(":");
  return async (name: string): Promise<boolean> => {
    const isThere = (folder: string) =>
      access(`${folder}/${name}`, constants.X_OK).then(
        () => true,
        () => false,
      );
    return (await Promise.all(folders.map(isThere))).includes(true);
  };
}

function renderArgv(argv: Argv): string {
  return [...argv.slice(0, ARGS_SHOWN), ...(argv.length > ARGS_SHOWN ? ["…"] : [])].join(" ");
}

function runProgram(argv: Argv, options: RunOptions, env: Record<string, string>): Promise<Output> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS, isDetached = false, killsGroup = false } = options;
  const { maxOutputChars = MAX_OUTPUT_CHARS } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const [program, ...args] = argv;
    const child = spawn(program, args, { env, detached: isDetached || killsGroup, stdio: "pipe" });
    let killedBecause: string | undefined;
    const kill = (because: string) => {
      killedBecause ??= because;
      if (killsGroup && child.pid !== undefined) killGroup(child.pid);
      else child.kill("SIGKILL");
    };
    const stdout = collect(child.stdout, maxOutputChars, () => kill("printed too much"));
    const stderr = collect(child.stderr, maxOutputChars, () => kill("printed too much"));
    const timedOut = `took longer than ${timeoutMs} ms`;
    const timer = setTimeout(() => {
      kill(timedOut);
      // A grandchild that kept our pipes would hold "close" back for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    }, timeoutMs);
    const onAbort = () => kill("was aborted");
    signal?.addEventListener("abort", onAbort, { once: true });
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    // Not every program that can't be started gets a "close".
    child.on("error", (error) => {
      end();
      const reason = `could not be run (${error.message})`;
      reject(
        new CommandError({ argv, exitCode: null, signal: null, stderr: "", timedOut: false, reason }, { cause: error }),
      );
    });
    child.on("close", (exitCode, killedBy) => {
      end();
      if (exitCode === 0) {
        resolve({ stdout: stdout(), stderr: stderr() });
      } else if (signal?.aborted) {
        reject(signal.reason);
      } else {
        const reason = killedBecause ?? (exitCode === null ? `was killed by ${killedBy}` : `exited with ${exitCode}`);
        const isTimeout = killedBecause === timedOut;
        reject(new CommandError({ argv, exitCode, signal: killedBy, stderr: stderr(), timedOut: isTimeout, reason }));
      }
    });
    // The program may exit without reading its stdin; its exit code says what that means.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
  });
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // ESRCH: all of it has ended already.
  }
}

function collect(stream: NodeJS.ReadableStream, maxChars: number, onTooMuch: () => void): () => string {
  const chunks: string[] = [];
  let length = 0;
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    length += chunk.length;
    if (length > maxChars) onTooMuch();
    else chunks.push(chunk);
  });
  return () => chunks.join("");
}
