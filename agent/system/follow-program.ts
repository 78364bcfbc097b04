// Runs a program that goes on until it is stopped, and hands on its lines as they come. Nothing is kept but an unfinished line, so a program
// that prints more than anybody reads waits in its pipe.
//
// It ends with this process, also when that is killed: `setpriv` has the kernel see to it (PR_SET_PDEATHSIG, which survives execve). Where
// there is none, such a program ends when it next prints something, as nobody reads it any more.
import { type ChildProcess, spawn } from "node:child_process";
import { type Argv, toEnvironment } from "./exec.ts";

export interface FollowListener {
  readonly onLine: (line: string) => void;
  /** It said this on its stderr, and goes on. */
  readonly onComplaint: (text: string) => void;
  /** It ended by itself, or could not be run. Nothing comes after this. */
  readonly onEnd: (reason: string) => void;
}

/** The returned function ends the program; nothing comes after that. */
export type FollowProgram = (argv: Argv, listener: FollowListener) => () => void;

/** A line of what we follow has some 200 characters. */
const MAX_LINE_CHARS = 64 * 1024;
const COMPLAINT_SHOWN_CHARS = 600;
const ENDS_WITH_US: Argv = ["setpriv", "--pdeathsig", "KILL"];

export function createFollowProgram(inherited: Readonly<Record<string, string | undefined>>): FollowProgram {
  const env = toEnvironment(inherited);
  let prefix: readonly string[] = ENDS_WITH_US;

  return (argv, listener) => {
    let isOver = false;
    let child: ChildProcess;

    function end(reason: string | null): void {
      if (isOver) return;
      isOver = true;
      child.kill("SIGKILL");
      // A grandchild that kept our pipes finds nobody at their end.
      child.stdout?.destroy();
      child.stderr?.destroy();
      if (reason !== null) listener.onEnd(reason);
    }

    function start(): void {
      const [program = "", ...args] = [...prefix, ...argv];
      const started = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      const isGuarded = prefix.length > 0;
      let complaint = "";
      const whenGone = (reason: string, isGuardAtFault: boolean) => {
        if (isOver) return;
        // No `setpriv`, or one that can't do this (busybox).
        if (isGuarded && isGuardAtFault) {
          prefix = [];
          start();
        } else end(reason);
      };
      readLines(
        started.stdout,
        (line) => !isOver && listener.onLine(line),
        () => end("printed a line without an end"),
      );
      started.stderr.setEncoding("utf8").on("data", (text: string) => {
        complaint = (complaint + text).slice(-COMPLAINT_SHOWN_CHARS);
        if (!isOver && !(isGuarded && complaint.startsWith("setpriv:"))) listener.onComplaint(text.trim());
      });
      started.on("error", (error) => whenGone(`could not be run (${error.message})`, true));
      started.on("close", (exitCode, killedBy) => {
        const how = exitCode === null ? `was killed by ${killedBy}` : `exited with ${exitCode}`;
        whenGone(complaint === "" ? how : `${how}: ${complaint.trim()}`, complaint.startsWith("setpriv:"));
      });
      // What it follows must not keep this process from its end.
      started.unref();
    }

    start();
    return () => end(null);
  };
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void, onTooLong: () => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
    if (rest.length > MAX_LINE_CHARS) onTooLong();
  });
}
