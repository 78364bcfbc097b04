// wrangler's process: run, and what it said.
import { spawn } from "node:child_process";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Its output is the operator's to see as it comes. */
  readonly isShown?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Program {
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Rejects, with what it said unless that was shown, when it fails. */
  demand(argv: readonly string[], options?: RunOptions): Promise<Ran>;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export function createProgram(file: string, cwd: string): Program {
  const run = (argv: readonly string[], { isShown = false, env = {} }: RunOptions = {}): Promise<Ran> =>
    new Promise((resolve, reject) => {
      const child = spawn(file, argv, {
        cwd,
        env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const said = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (text: string) => {
          said[name] += text;
          if (isShown) process.stderr.write(text);
        });
      }
      // Whoever waits for it has to clean up: it ends first, and this program by itself.
      const pass = (signal: NodeJS.Signals) => void child.kill(signal);
      for (const signal of SIGNALS) process.on(signal, pass);
      const end = () => {
        for (const signal of SIGNALS) process.off(signal, pass);
      };
      child.once("error", (error) => {
        end();
        reject(error);
      });
      child.once("close", (code) => {
        end();
        resolve({ code: code ?? 1, ...said });
      });
    });
  return {
    run,
    async demand(argv, options = {}) {
      const ran = await run(argv, options);
      if (ran.code === 0) return ran;
      const said = options.isShown ? "" : `:\n${(ran.stderr || ran.stdout).trim()}`;
      throw new Error(`wrangler ${argv.slice(0, 3).join(" ")} failed${said}`);
    },
  };
}
