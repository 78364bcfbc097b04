import { QueryClient } from "@tanstack/react-query";
import { isPassing } from "./api-error.ts";

const MAX_RETRIES = 3;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;
/** Going back to a page that was just left asks nothing. */
const FRESH_MS = 2_000;

/** @param isAwaited whether live updates will have it asked again by themselves */
export const createQueries = (isAwaited: (queryKey: readonly unknown[]) => boolean): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        // Whoever comes back to the tab sees what is: by the connection that is made then, or by asking.
        refetchOnWindowFocus: ({ queryKey }) => !isAwaited(queryKey),
        // An answer like "there is no such mesh" does not change by asking again; a control plane that restarts does.
        retry: (count, error) => isPassing(error) && count < MAX_RETRIES,
        retryDelay: (count) => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** count),
      },
      mutations: { retry: false },
    },
  });
