// The command line's side of the agent's socket.
import type { z } from "zod";
import { LocalProblem } from "#schema/local/status";
import type { LocalReply, LocalSockets } from "../system/local-socket.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

export interface LocalClient {
  /** Null: no agent runs. Throws a CommandFailure when it answers that it could not. */
  call<T extends z.ZodType>(call: LocalCall<T>): Promise<z.infer<T> | null>;
}

export interface LocalCall<T extends z.ZodType> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly reply: T;
}

/** Removing many interfaces takes a while. */
const TIMEOUT_MS = 60_000;

export const toSocketFile = (runDir: string): string => `${runDir}/agent.sock`;

export function createLocalClient(sockets: LocalSockets, runDir: string): LocalClient {
  const file = toSocketFile(runDir);
  return {
    async call({ method, path, body, reply: schema }) {
      const reply = await send(() => sockets.request(file, { method, path, body }, TIMEOUT_MS), file);
      if (reply === null) return null;
      if (reply.status !== 200) {
        const problem = LocalProblem.safeParse(reply.body);
        const message = problem.success ? problem.data.message : `the agent answered ${reply.status}`;
        throw new CommandFailure(EXIT_CODES.failed, `The agent could not do it: ${message}`);
      }
      const parsed = schema.safeParse(reply.body);
      if (parsed.success) return parsed.data;
      const message = "The running agent's answer was not understood: it may be of another version. Restart it.";
      throw new CommandFailure(EXIT_CODES.failed, message, { cause: parsed.error });
    },
  };
}

async function send(request: () => Promise<LocalReply | null>, file: string): Promise<LocalReply | null> {
  try {
    return await request();
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    if ("code" in cause && (cause.code === "EACCES" || cause.code === "EPERM")) {
      const message = `Only root may talk to the agent (${file}). Run this with sudo.`;
      throw new CommandFailure(EXIT_CODES.requirementMissing, message, { cause });
    }
    throw new CommandFailure(EXIT_CODES.failed, `The agent at ${file} does not answer: ${cause.message}`, { cause });
  }
}

export function noAgent(runDir: string): CommandFailure {
  const message = `No agent runs here (nothing answers at ${toSocketFile(runDir)}). Start it with \`becket up\`, or \`systemctl start becket\` where it is installed as a service.`;
  return new CommandFailure(EXIT_CODES.notRunning, message);
}
