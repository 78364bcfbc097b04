// Calls operations of schema/api: typed by them, and their replies parsed by them. What goes wrong is an ApiError.
import type { Operation } from "#schema/api/operation";
import { ApiError, toApiError } from "./api-error.ts";
import { type InputOf, type ItemOf, type ReplyOf, type RequestParts, toRequest } from "./request.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
}

export interface ListOptions<Item> extends CallOptions {
  /** What has come so far, each time that there is more to come. */
  readonly onMore?: (items: readonly Item[]) => void;
}

export interface ApiClient {
  call<const O extends Operation>(operation: O, input: InputOf<O>, options?: CallOptions): Promise<ReplyOf<O>>;
  /** Every item of a list, page after page. */
  list<const O extends Operation>(
    operation: O,
    input: InputOf<O>,
    options?: ListOptions<ItemOf<O>>,
  ): Promise<ItemOf<O>[]>;
}

export interface ClientParts {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  readonly readToken: () => string | null;
  /** Resolves when the page has nothing else to do: what has come is drawn before there is more. */
  readonly untilIdle?: () => Promise<void>;
}

const PAGE_LIMIT = 500;
/** What is shown as it comes begins with more than a window shows, and little to wait for. */
const FIRST_LIMIT = 100;

export function createClient({ fetch, readToken, untilIdle }: ClientParts): ApiClient {
  async function call<const O extends Operation>(operation: O, input: InputOf<O>, options: CallOptions = {}) {
    const { signal, ...keys } = options;
    const { path, ...init } = toRequest(operation, input as RequestParts, { token: readToken(), ...keys });
    const response = await send(path, { ...init, credentials: "same-origin", ...(signal ? { signal } : {}) });
    const requestId = response.headers.get("x-request-id");
    const body: unknown = response.status === 204 ? null : await response.json().catch(() => undefined);
    if (!response.ok) throw toApiError(response.status, body, requestId);
    if (operation.reply === undefined) return null as ReplyOf<O>;
    const reply = operation.reply.safeParse(body);
    if (reply.success) return reply.data as ReplyOf<O>;
    throw new ApiError("The control plane's answer is not one that this page knows; reload it", {
      ...{ code: "not_understood", status: response.status, requestId, cause: reply.error },
      detail: reply.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    });
  }

  async function send(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(path, init);
    } catch (cause) {
      // Whoever aborted knows it; fetch says TypeError for everything else.
      if (init.signal?.aborted) throw cause;
      throw new ApiError("The control plane does not answer", { code: "no_answer", cause });
    }
  }

  async function list<const O extends Operation>(
    operation: O,
    input: InputOf<O>,
    { onMore, ...options }: ListOptions<ItemOf<O>> = {},
  ) {
    const items: ItemOf<O>[] = [];
    let cursor: string | null | undefined;
    do {
      const limit = cursor === undefined && onMore !== undefined ? FIRST_LIMIT : PAGE_LIMIT;
      const query = { limit, ...(input as RequestParts).query, ...(cursor ? { cursor } : {}) };
      const page = (await call(operation, withQuery(input, query), options)) as unknown as Page<ItemOf<O>>;
      items.push(...page.items);
      cursor = page.nextCursor;
      if (cursor && onMore) {
        onMore([...items]);
        await untilIdle?.();
      }
    } while (cursor);
    return items;
  }

  return { call, list };
}

/** The same input, asked with this query. */
export const withQuery = <O extends Operation>(
  input: InputOf<O>,
  query: Readonly<Record<string, unknown>>,
): InputOf<O> => ({ ...(input as RequestParts), query }) as unknown as InputOf<O>;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string | null;
}
