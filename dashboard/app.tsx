import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { ApiClient } from "./api/client.ts";
import { CredentialsProvider } from "./api/session.ts";
import { ClientProvider } from "./api/use-api.ts";
import type { Credentials } from "./browser/credentials.ts";
import { ToastProvider } from "./components/toast.tsx";
import type { AppRouter } from "./router.tsx";

interface AppProps {
  readonly client: ApiClient;
  readonly queries: QueryClient;
  readonly credentials: Credentials;
  readonly router: AppRouter;
}

export const App = ({ client, queries, credentials, router }: AppProps) => (
  <QueryClientProvider client={queries}>
    <ClientProvider value={client}>
      <CredentialsProvider value={credentials}>
        <ToastProvider>
          <RouterProvider router={router} />
        </ToastProvider>
      </CredentialsProvider>
    </ClientProvider>
  </QueryClientProvider>
);
