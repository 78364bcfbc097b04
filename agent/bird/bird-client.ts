// One BIRD, asked on its control socket: a connection for each question, as none of them is asked often.
import { err, ok, type Result } from "#schema/result";
import { type AskSocket, isClosedEarly } from "../system/unix-socket.ts";
import { type BirdProtocol, parseProtocols } from "./parse-protocols.ts";
import { type BirdReply, isWholeReply, parseReply } from "./parse-reply.ts";
import { type BirdRoute, parseRoutes } from "./parse-routes.ts";
import { type BirdStatus, parseStatus } from "./parse-status.ts";

export interface BirdClient {
  /** Null: no BIRD answers there, or it ended while it answered. So with all of them. */
  readStatus(): Promise<BirdStatus | null>;
  readProtocols(): Promise<BirdProtocol[] | null>;
  /** Of its master tables, with those that import filters refused. */
  readRoutes(): Promise<BirdRoute[] | null>;
  /** Whether it would take this file. */
  checkConfig(file: string): Promise<ConfigureResult | null>;
  /** Has it read its own file again. It may still be at work on the change when this is answered. */
  configure(): Promise<ConfigureResult | null>;
  /** Ends it, and with it its routes in the kernel. Resolves before it is gone. Null: there was none. */
  shutDown(): Promise<true | null>;
}

export type ConfigureResult = Result<"done" | "in_progress", ConfigRefusal>;

export interface ConfigRefusal {
  readonly code: "bird_refused_config";
  /** In BIRD's words: file, line, column and what it expected there. */
  readonly message: string;
}

/** It did not do what it always does when asked. */
export class BirdError extends Error {
  override readonly name = "BirdError";
  readonly replyCode: number;

  constructor(command: string, { code, message }: BirdReply) {
    super(`bird: ${command}: ${String(code).padStart(4, "0")} ${message}`);
    this.replyCode = code;
  }
}

/** 10,000 routes take some 100 ms. A BIRD that takes in many routes answers between two portions of its work. */
const TIMEOUT_MS = 5_000;
const FAILURE_CODE = 8_000;
/** doc/reply_codes: an error in a configuration, and a file that can't be read. */
const CONFIG_ERROR = 8_002;
const IN_PROGRESS = new Set([4, 5, 17]);

export function createBirdClient(askSocket: AskSocket, socketFile: string): BirdClient {
  async function ask(command: string): Promise<BirdReply | null> {
    const question = { text: `${command}\n`, end: isWholeReply, timeoutMs: TIMEOUT_MS };
    const answer = await askSocket(socketFile, question).catch((error: unknown) => {
      if (isClosedEarly(error)) return null;
      throw error;
    });
    return answer === null ? null : parseReply(answer);
  }

  async function read<T>(command: string, parse: (reply: BirdReply) => T): Promise<T | null> {
    const reply = await ask(command);
    if (reply === null) return null;
    if (reply.code >= FAILURE_CODE) throw new BirdError(command, reply);
    return parse(reply);
  }

  async function askToConfigure(command: string): Promise<ConfigureResult | null> {
    const reply = await ask(command);
    if (reply === null) return null;
    if (reply.code === CONFIG_ERROR) return err({ code: "bird_refused_config", message: reply.message });
    if (reply.code >= FAILURE_CODE) throw new BirdError(command, reply);
    return ok(IN_PROGRESS.has(reply.code) ? "in_progress" : "done");
  }

  return {
    readStatus: () => read("show status", parseStatus),
    readProtocols: () => read("show protocols all", parseProtocols),
    async readRoutes() {
      const used = await read("show route all", (reply) => parseRoutes(reply, { areFiltered: false }));
      const filtered = await read("show route all filtered", (reply) => parseRoutes(reply, { areFiltered: true }));
      return used === null || filtered === null ? null : [...used, ...filtered];
    },
    checkConfig: (file) => askToConfigure(`configure check "${file}"`),
    configure: () => askToConfigure("configure"),
    shutDown: () => read("down", () => true as const),
  };
}
