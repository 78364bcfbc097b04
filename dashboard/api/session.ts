// Who uses the page, and what that allows. The control plane says both; the page only mirrors it.
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Operation } from "#schema/api/operation";
import { getMe, type Me } from "#schema/api/sign-in";
import type { Credentials } from "../browser/credentials.ts";
import { isApiError } from "./api-error.ts";
import type { ApiClient } from "./client.ts";
import { useClient } from "./use-api.ts";

const CredentialsContext = createContext<Credentials | null>(null);
export const CredentialsProvider = CredentialsContext.Provider;

export function useCredentials(): Credentials {
  const credentials = useContext(CredentialsContext);
  if (credentials === null) throw new Error("there is no CredentialsProvider above");
  return credentials;
}

/** Roles change while a page is open. */
const ME_EVERY_MS = 60_000;

/** Null when nobody is signed in. */
export const meQuery = (client: ApiClient) =>
  queryOptions({
    queryKey: [getMe.id],
    async queryFn({ signal }): Promise<Me | null> {
      try {
        return await client.call(getMe, {}, { signal });
      } catch (error) {
        if (isApiError(error) && error.status === 401) return null;
        throw error;
      }
    },
    refetchInterval: ME_EVERY_MS,
    staleTime: ME_EVERY_MS,
  });

export const useMe = () => useQuery(meQuery(useClient()));

const MeContext = createContext<Me | null>(null);
export const MeProvider = MeContext.Provider;

export function useSignedIn(): Me {
  const me = useContext(MeContext);
  if (me === null) throw new Error("nobody is signed in here");
  return me;
}

/** Whether the role allows it; who is not allowed does not get the button. */
export function useCan(operation: Operation): boolean {
  return useSignedIn().permissions.includes(operation.id);
}

/** After signing in or out: everything that was known was known to somebody else. */
export function useForgetAll(): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.resetQueries();
}
