// The API as TanStack Query sees it: one key per operation and input, so that a change can say which lists are old.
import {
  keepPreviousData,
  queryOptions,
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Operation } from "#schema/api/operation";
import { type ApiClient, withQuery } from "./client.ts";
import { useEvery } from "./live/use-live.ts";
import type { InputOf, ItemOf, ReplyOf, RequestParts } from "./request.ts";

export interface Watch {
  /** Asked again this often while the page is open and its tab is seen; more seldom while live updates say what changed. */
  readonly everyMs?: number;
  /** Also while live updates say what changed: what matters here may come without. */
  readonly isExact?: boolean;
  readonly enabled?: boolean;
  /** Shows the answer to the question before while a new one is under way. */
  readonly keepsPrevious?: boolean;
}

const ClientContext = createContext<ApiClient | null>(null);
export const ClientProvider = ClientContext.Provider;

export function useClient(): ApiClient {
  const client = useContext(ClientContext);
  if (client === null) throw new Error("there is no ClientProvider above");
  return client;
}

export function replyQuery<const O extends Operation>(client: ApiClient, operation: O, input: InputOf<O>) {
  return queryOptions({
    queryKey: [operation.id, "reply", input],
    queryFn: ({ signal }): Promise<ReplyOf<O>> => client.call(operation, input, { signal }),
  });
}

/** The first time, a long list is shown as it comes; afterwards the one before stands until the new one is whole. */
export function listQuery<const O extends Operation>(client: ApiClient, operation: O, input: InputOf<O>) {
  const queryKey = [operation.id, "list", input];
  return queryOptions({
    queryKey,
    queryFn({ signal, client: queries }): Promise<ItemOf<O>[]> {
      const isFirst = queries.getQueryData(queryKey) === undefined;
      const onMore = (items: readonly ItemOf<O>[]) => queries.setQueryData(queryKey, items);
      return client.list(operation, input, { signal, ...(isFirst && { onMore }) });
    },
  });
}

export function useReply<const O extends Operation>(
  operation: O,
  input: InputOf<O>,
  watch: Watch = {},
): UseQueryResult<ReplyOf<O>> {
  const query = replyQuery(useClient(), operation, input);
  return useQuery({ ...query, ...useOptions(query.queryKey, watch) }) as UseQueryResult<ReplyOf<O>>;
}

/** All items of a list; see ApiClient.list. */
export function useList<const O extends Operation>(
  operation: O,
  input: InputOf<O>,
  watch: Watch = {},
): UseQueryResult<ItemOf<O>[]> {
  const query = listQuery(useClient(), operation, input);
  return useQuery({ ...query, ...useOptions(query.queryKey, watch) }) as UseQueryResult<ItemOf<O>[]>;
}

function useOptions(queryKey: readonly unknown[], watch: Watch) {
  const { everyMs, isExact = false, enabled = true, keepsPrevious = false } = watch;
  const liveMs = useEvery(queryKey, everyMs);
  const plannedMs = isExact ? everyMs : liveMs;
  return {
    enabled,
    ...(plannedMs === undefined ? {} : { refetchInterval: plannedMs }),
    ...(keepsPrevious ? { placeholderData: keepPreviousData } : {}),
  };
}

/**
 * A change. It is done when what it makes old has been asked for again, so that a dialog closes on the new state.
 * @param makesOld ids of the operations whose answers it changes
 */
export function useChange<const O extends Operation>(
  operation: O,
  makesOld: readonly string[],
): UseMutationResult<ReplyOf<O>, Error, InputOf<O> & { readonly idempotencyKey?: string }> {
  const client = useClient();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ idempotencyKey, ...input }: InputOf<O> & { readonly idempotencyKey?: string }) =>
      client.call(operation, input as unknown as InputOf<O>, idempotencyKey === undefined ? {} : { idempotencyKey }),
    onSuccess: () =>
      Promise.all(makesOld.map((id) => queries.invalidateQueries({ queryKey: [id], refetchType: "active" }))),
  });
}

export interface Pages<Item> {
  readonly query: UseQueryResult<Item[]>;
  /** Null on the last page. */
  readonly loadMore: (() => void) | null;
  readonly isLoadingMore: boolean;
}

const PAGE_ITEMS = 50;

/** A long list, newest first, of which more is asked for only when somebody wants it. */
export function usePages<const O extends Operation>(
  operation: O,
  input: InputOf<O>,
  watch: Watch = {},
): Pages<ItemOf<O>> {
  const client = useClient();
  const queryKey = [operation.id, "pages", input];
  const options = useOptions(queryKey, watch);
  const pages = useInfiniteQuery({
    queryKey,
    queryFn: ({ signal, pageParam }) => {
      const query = {
        limit: PAGE_ITEMS,
        ...(input as RequestParts).query,
        ...(pageParam ? { cursor: pageParam } : {}),
      };
      return client.call(operation, withQuery(input, query), { signal }) as Promise<unknown> as Promise<Page<O>>;
    },
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: ({ pages: all }) => all.flatMap(({ items }) => items),
    ...options,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  return {
    query: pages as unknown as UseQueryResult<ItemOf<O>[]>,
    loadMore: hasNextPage ? () => void fetchNextPage() : null,
    isLoadingMore: isFetchingNextPage,
  };
}

interface Page<O extends Operation> {
  readonly items: ItemOf<O>[];
  readonly nextCursor: string | null;
}
