import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { ApiClient } from "./api/client.ts";
import type { Live } from "./api/live/create-live.ts";
import { LiveProvider } from "./api/live/use-live.ts";
import { CredentialsProvider } from "./api/session.ts";
import { ClientProvider } from "./api/use-api.ts";
import type { Credentials } from "./browser/credentials.ts";
import { ToastProvider } from "./components/toast.tsx";
import type { AppRouter } from "./router.tsx";

interface AppProps {
  readonly client: ApiClient;
  readonly queries: QueryClient;
  readonly live: Live;
  readonly credentials: Credentials;
  readonly router: AppRouter;
}

export const App = ({ client, queries, live, credentials, router }: AppProps) => (
  <QueryClientProvider client={queries}>
    <ClientProvider value={client}>
      <LiveProvider value={live}>
        <CredentialsProvider value={credentials}>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </CredentialsProvider>
      </LiveProvider>
    </ClientProvider>
  </QueryClientProvider>
);
