// How one gets in: by the provider, by a one-time link, or for now and this tab by an API token.
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { LogIn } from "lucide-react";
import { useEffect, useState } from "react";
import { getSignInOptions, signInByLink } from "#schema/api/sign-in";
import { useForgetAll } from "../../api/session.ts";
import { useClient, useReply } from "../../api/use-api.ts";
import { useTitle } from "../../browser/use-title.ts";
import { buttonClass } from "../../components/button.tsx";
import { ErrorState, LoadingState } from "../../components/states.tsx";
import { QueryError, QueryView } from "../query-view.tsx";
import { Mark } from "../shell/brand.tsx";
import { readLinkToken, SIGN_IN_ERRORS } from "./sign-in-search.ts";
import { TokenForm } from "./token-form.tsx";

const route = getRouteApi("/sign-in");

function SignInPage() {
  useTitle("Sign in");
  const { error, requestId, returnTo } = route.useSearch();
  const enter = useEnter(returnTo);
  const link = useLinkSignIn(enter);
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-5 py-16">
      <Mark className="size-11" />
      <h1 className="mt-5 font-semibold text-2xl tracking-tight">Sign in to Becket</h1>
      <p className="mt-1 text-muted">Meshes of machines, wherever they are.</p>
      <div className="mt-7 flex flex-col gap-5">
        {error && <ErrorState title={SIGN_IN_ERRORS[error]} requestId={requestId ?? null} />}
        {link.error && <QueryError error={link.error} />}
        {link.isBusy ? <LoadingState rows={1} label="Signing in" /> : <Ways returnTo={returnTo} onSignedIn={enter} />}
      </div>
    </main>
  );
}

function Ways({
  returnTo,
  onSignedIn,
}: {
  readonly returnTo: string | undefined;
  readonly onSignedIn: () => Promise<void>;
}) {
  const options = useReply(getSignInOptions, {});
  return (
    <>
      <QueryView query={options} loading={<div className="h-9" />}>
        {({ oidc }) =>
          oidc && (
            <a
              href={`${oidc.path}${returnTo === undefined ? "" : `?${new URLSearchParams({ returnTo })}`}`}
              className={buttonClass({ look: "primary" })}
            >
              <LogIn aria-hidden /> Continue with {oidc.name}
            </a>
          )
        }
      </QueryView>
      <section className="rounded-lg border border-line bg-surface p-4">
        <h2 className="font-semibold">With a sign-in link</h2>
        <p className="mt-1 text-muted">
          Open the link that you were given; it works once. Whoever runs this control plane makes one with{" "}
          <code className="rounded bg-sunken px-1 py-0.5 font-mono text-ink text-xs">npm run -s login-link</code>.
        </p>
      </section>
      <TokenForm onSignedIn={onSignedIn} />
    </>
  );
}

function useEnter(returnTo: string | undefined): () => Promise<void> {
  const forgetAll = useForgetAll();
  const navigate = useNavigate();
  return async () => {
    await forgetAll();
    await navigate({ to: returnTo ?? "/machines", replace: true });
  };
}

/** A link's token is used as soon as the page opens, and taken out of the address before anything else. */
function useLinkSignIn(enter: () => Promise<void>) {
  const client = useClient();
  const [token] = useState(() => readLinkToken(window.location.hash));
  const [error, setError] = useState<Error | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a link works once, so it is tried once.
  useEffect(() => {
    if (token === null) return;
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
    client.call(signInByLink, { body: { token } }).then(enter, setError);
  }, []);
  return { isBusy: token !== null && error === null, error };
}

export const signInPage = createLazyRoute("/sign-in")({ component: SignInPage });
