// Runs one short command: an argv, never a shell, always with a time limit.
import { spawn } from "node:child_process";

export interface ExecOptions {
  readonly timeoutMs?: number;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Resolve also when the command ends with another exit code than 0. Time limits and signals always reject. */
  readonly allowFailure?: boolean;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** How long output is read after the command's end. */
const LINGER_MS = 200;
const MAX_OUTPUT_CHARACTERS = 16_000_000;

export class CommandError extends Error {
  readonly argv: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(failure: {
    argv: readonly string[];
    reason: string;
    exitCode: number | null;
    stdout: string;
    stderr: string;
  }) {
    const tail = (failure.stderr.trim() || failure.stdout.trim()).slice(-2_000);
    super(`${failure.argv.join(" ")}: ${failure.reason}${tail && `\n${tail}`}`);
    this.name = "CommandError";
    this.argv = failure.argv;
    this.exitCode = failure.exitCode;
    this.stderr = failure.stderr;
  }
}

export const isCommandError = (error: unknown): error is CommandError => error instanceof CommandError;

export function run(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const [file = "", ...args] = argv;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: toolEnvironment(options.env), signal: options.signal });
    let stdout = "";
    let stderr = "";
    let reason: string | null = null;
    const timer = setTimeout(() => {
      reason = `no end after ${timeoutMs} ms`;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text.slice(0, MAX_OUTPUT_CHARACTERS - stdout.length);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text.slice(0, MAX_OUTPUT_CHARACTERS - stderr.length);
    });
    child.stdin.on("error", () => {}); // A command may end before it has read its input; its exit code tells the rest.
    child.stdin.end(options.input ?? "");
    const fail = (why: string, exitCode: number | null) =>
      reject(new CommandError({ argv, reason: why, exitCode, stdout, stderr }));
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(error.message, null);
    });
    // A daemon that it left behind may hold its output open for ever.
    child.on("exit", () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, LINGER_MS).unref();
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (reason !== null || code === null) fail(reason ?? `ended by ${signal}`, code);
      else if (code !== 0 && !options.allowFailure) fail(`exit code ${code}`, code);
      else resolve({ stdout, stderr, exitCode: code });
    });
  });
}

/** Network tools live in sbin, which the PATH of `su` and of some services leaves out. */
export function toolEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  return { ...process.env, PATH: `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`, LC_ALL: "C", ...extra };
}
