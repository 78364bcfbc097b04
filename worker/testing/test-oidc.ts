import { type OidcVariables, parseOidcSettings } from "#schema/oidc-settings";
import { createOidcProvider } from "../oidc/provider.ts";
import type { Services } from "../services.ts";
import { createTestApp, type TestApp } from "./create-test-app.ts";
import { CLIENT, type FakeProvider, ISSUER } from "./fake-provider.ts";
import { createTestBrowser, type TestBrowser } from "./test-browser.ts";

export interface OidcTestOptions {
  readonly variables?: OidcVariables;
  readonly services?: Partial<Services>;
  readonly now?: () => number;
}

export function createOidcApp(provider: FakeProvider, { variables, services, now }: OidcTestOptions = {}): TestApp {
  const settings = parseOidcSettings({
    BECKET_OIDC_ISSUER: ISSUER,
    BECKET_OIDC_CLIENT_ID: CLIENT.id,
    BECKET_OIDC_CLIENT_SECRET: CLIENT.secret,
    BECKET_OIDC_ALLOWED_DOMAINS: "example.org",
    ...variables,
  });
  if (!settings.ok || settings.value === null) throw new Error("the settings of the test are wrong");
  const clock = now ?? (() => Date.now());
  return createTestApp({ oidc: createOidcProvider(settings.value, provider.fetch, clock), now: clock, ...services });
}

export interface Walk {
  readonly browser: TestBrowser;
  /** Where the browser ended up: a path of the control plane. */
  readonly location: string;
  /** The code of what went wrong, or null. */
  readonly error: string | null;
}

/** Away to the provider and back again. `alter` changes what the browser brings back. */
export async function walk(
  app: TestApp,
  provider: FakeProvider,
  {
    browser = createTestBrowser(app),
    returnTo,
    alter = () => undefined,
    headers = {},
  }: {
    browser?: TestBrowser;
    returnTo?: string;
    alter?: (answer: URLSearchParams) => void;
    headers?: Record<string, string>;
  } = {},
): Promise<Walk> {
  const query = returnTo === undefined ? "" : `?${new URLSearchParams({ returnTo })}`;
  const away = await browser.fetch(`/api/sign-in/oidc${query}`);
  const location = away.headers.get("location") ?? "";
  if (!location.startsWith(ISSUER)) return { browser, location, error: toError(location) };
  const answer = provider.consent(location);
  alter(answer);
  return comeBack(browser, answer, headers);
}

export async function comeBack(
  browser: TestBrowser,
  answer: URLSearchParams,
  headers: Record<string, string> = {},
): Promise<Walk> {
  const back = await browser.fetch(`/api/sign-in/oidc/callback?${answer}`, { headers });
  const location = back.headers.get("location") ?? "";
  return { browser, location, error: toError(location) };
}

const toError = (location: string): string | null => new URL(location, "https://becket.test").searchParams.get("error");
