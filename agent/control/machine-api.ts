// Requests that the machine signs. A token refused because of time is signed anew, with the time that the refusal told, and sent once more.
import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import type { Clock } from "../system/clock.ts";
import type { Ed25519Key } from "../system/ed25519.ts";
import { type Http, type HttpReply, isNetworkError, type SocketPort } from "../system/http.ts";
import { type ApiFailure, parseJson, toApiFailure, toNetworkFailure } from "./api-failure.ts";
import type { SigningKeys } from "./keys/identity-rotation.ts";
import { signMachineToken } from "./machine-token.ts";
import type { ServerClock } from "./server-clock.ts";

export interface MachineApi {
  get(path: string, query: Query, limits: Limits): Promise<Result<unknown, ApiFailure>>;
  post(path: string, body: unknown, limits: Limits): Promise<Result<unknown, ApiFailure>>;
  /** `headers` go along with the machine's token. */
  openSocket(
    path: string,
    limits: Limits,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Result<SocketPort, ApiFailure>>;
}

export type Query = Readonly<Record<string, string | number>>;
export interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface MachineApiOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  /** In the order in which they are tried. */
  readonly signingKeys: SigningKeys;
  readonly machineId: MachineId;
  /** The control plane's origin. */
  readonly url: string;
  readonly userAgent: string;
}

/** A new token has another time and another id: exactly what these complain of. */
const CURABLE = new Set([
  "machine_token_stale",
  "machine_token_expired",
  "machine_token_not_yet_valid",
  "machine_token_replayed",
]);

/** What signed the request is not what the control plane knows this machine by. */
export const isKeyUnknown = (result: Result<unknown, ApiFailure>): boolean =>
  !result.ok && result.error.code === "refused" && result.error.problem === "signature_invalid";

type Attempt<T> = { readonly value: T } | { readonly reply: HttpReply };

export function createMachineApi(options: MachineApiOptions): MachineApi {
  const { http, clock, serverClock, signingKeys, machineId, url, userAgent } = options;

  const toHeaders = (key: Ed25519Key, method: string, path: string) => ({
    authorization: `Bearer ${signMachineToken(key, { machineId, audience: url, method, path, nowMs: serverClock.now() })}`,
    "user-agent": userAgent,
  });

  async function attempt<T>(send: (key: Ed25519Key) => Promise<Attempt<T>>): Promise<Result<T, ApiFailure>> {
    const [first, ...others] = signingKeys.list;
    if (first === undefined) throw new Error("there is no key to sign with");
    let result = await attemptWith(() => send(first));
    for (const key of others) {
      if (!isKeyUnknown(result)) return result;
      result = await attemptWith(() => send(key));
    }
    return result;
  }

  async function attemptWith<T>(send: () => Promise<Attempt<T>>): Promise<Result<T, ApiFailure>> {
    for (let isRetry = false; ; isRetry = true) {
      const sentAt = clock.now();
      let answer: Attempt<T>;
      try {
        answer = await send();
      } catch (error) {
        if (isNetworkError(error)) return err(toNetworkFailure(error));
        throw error;
      }
      if ("value" in answer) return ok(answer.value);
      serverClock.observe(answer.reply.headers.date, sentAt);
      const failure = toApiFailure(answer.reply, serverClock.now());
      if (isRetry || failure.code !== "refused" || !CURABLE.has(failure.problem)) return err(failure);
    }
  }

  const toAttempt = (reply: HttpReply): Attempt<unknown> =>
    reply.status >= 200 && reply.status < 300 ? { value: parseJson(reply.body) } : { reply };

  return {
    get: (path, query, limits) =>
      attempt(async (key) => {
        const search = new URLSearchParams();
        for (const [name, value] of Object.entries(query)) search.set(name, String(value));
        const target = `${url}${path}?${search}`;
        return toAttempt(
          await http.request({ method: "GET", url: target, headers: toHeaders(key, "GET", path), ...limits }),
        );
      }),
    post: (path, body, limits) =>
      attempt(async (key) => {
        const headers = { ...toHeaders(key, "POST", path), "content-type": "application/json" };
        const text = JSON.stringify(body);
        return toAttempt(await http.request({ method: "POST", url: `${url}${path}`, headers, body: text, ...limits }));
      }),
    openSocket: (path, limits, more = {}) =>
      attempt(async (key): Promise<Attempt<SocketPort>> => {
        const headers = { ...more, ...toHeaders(key, "GET", path) };
        const opening = await http.openSocket({ url: `${url}${path}`, headers, ...limits });
        return opening.kind === "open" ? { value: opening.socket } : { reply: opening.reply };
      }),
  };
}
