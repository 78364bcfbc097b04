import { QueryClient } from "@tanstack/react-query";
import { isPassing } from "./api-error.ts";

const MAX_RETRIES = 3;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;
/** Going back to a page that was just left asks nothing. */
const FRESH_MS = 2_000;

export const createQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        // An answer like "there is no such mesh" does not change by asking again; a control plane that restarts does.
        retry: (count, error) => isPassing(error) && count < MAX_RETRIES,
        retryDelay: (count) => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** count),
      },
      mutations: { retry: false },
    },
  });
