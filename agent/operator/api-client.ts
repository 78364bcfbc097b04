// The API as its operations describe it, for the commands.
import type { Operation } from "#schema/api/operation";
import { toApiFailure, toNetworkFailure } from "../control/api-failure.ts";
import { CommandFailure, EXIT_CODES } from "../local/exit-codes.ts";
import { type Http, isNetworkError } from "../system/http.ts";

export interface Input {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface ApiClient {
  /** The reply, parsed; null where there is none. Throws CommandFailure with what the control plane said. */
  call(operation: Operation, input?: Input): Promise<Readonly<Record<string, unknown>> | null>;
  /** Every page of a list, as one. */
  list(operation: Operation, input?: Input): Promise<Readonly<Record<string, unknown>>>;
}

export interface ApiClientOptions {
  readonly http: Http;
  /** The control plane's origin. */
  readonly url: string;
  readonly token: string;
  readonly userAgent: string;
  readonly now: () => number;
}

const TIMEOUT_MS = 30_000;
const PAGE = 500;

export function createApiClient({ http, url, token, userAgent, now }: ApiClientOptions): ApiClient {
  const client: ApiClient = {
    async call({ method, path, reply }, { params = {}, query = {}, body } = {}) {
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(params[key])));
      const search = new URLSearchParams();
      for (const [key, value] of Object.entries(query)) search.set(key, String(value));
      const answer = await http
        .request({
          method: method.toUpperCase() as "GET" | "POST" | "PATCH" | "DELETE",
          url: `${url}/api/v1${filled}${search.size === 0 ? "" : `?${search}`}`,
          headers: {
            authorization: `Bearer ${token}`,
            "user-agent": userAgent,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          timeoutMs: TIMEOUT_MS,
        })
        .catch((error: unknown) => {
          if (!isNetworkError(error)) throw error;
          throw new CommandFailure(EXIT_CODES.failed, `${url} does not answer: ${toNetworkFailure(error).message}`);
        });
      if (answer.status < 200 || answer.status >= 300) {
        const failure = toApiFailure(answer, now());
        const code = failure.code === "refused" ? ` (${failure.problem})` : "";
        throw new CommandFailure(EXIT_CODES.failed, `${failure.message}${code}`);
      }
      if (reply === undefined) return null;
      const parsed = reply.safeParse(parse(answer.body));
      if (parsed.success) return parsed.data;
      throw new CommandFailure(EXIT_CODES.failed, `${url} answers as no version does that this program knows`);
    },
    async list(operation, input = {}) {
      const isPaged = operation.query !== undefined && "cursor" in operation.query.shape;
      if (!isPaged) return (await client.call(operation, input)) ?? {};
      const items: unknown[] = [];
      let cursor: unknown = null;
      do {
        const page: Readonly<Record<string, unknown>> =
          (await client.call(operation, {
            ...input,
            query: { ...input.query, limit: PAGE, ...(cursor === null ? {} : { cursor }) },
          })) ?? {};
        items.push(...(page.items as unknown[]));
        cursor = page.nextCursor ?? null;
      } while (cursor !== null);
      return { items };
    },
  };
  return client;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no schema accepts it
  }
}
