// A browser: it keeps the cookies that it is given, sends them, and says where its requests come from.

import type { Operation } from "#schema/api/operation";
import { type CreateLoginLink, createLoginLink, signInByLink } from "#schema/api/sign-in";
import type { User } from "#schema/api/users";
import {
  ORIGIN,
  parseAnswer,
  type ReplyOf,
  type TestAnswer,
  type TestApp,
  type TestCall,
  toUrl,
} from "./create-test-app.ts";

export interface TestBrowser {
  readonly cookies: ReadonlyMap<string, string>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  call<const O extends Operation>(operation: O, request?: Omit<TestCall, "as">): Promise<TestAnswer<ReplyOf<O>>>;
}

export function createTestBrowser(app: TestApp): TestBrowser {
  const cookies = new Map<string, string>();

  async function fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie !== "") headers.set("cookie", cookie);
    const isSafe = init.method === undefined || init.method === "GET";
    if (!isSafe && !headers.has("origin")) headers.set("origin", ORIGIN);
    const response = await app.fetch(path, { ...init, headers });
    for (const text of response.headers.getSetCookie()) keep(text);
    return response;
  }

  function keep(text: string): void {
    const [pair = "", ...attributes] = text.split("; ");
    const [name = "", value = ""] = pair.split("=");
    if (attributes.includes("Max-Age=0")) cookies.delete(name);
    else cookies.set(name, value);
  }

  return {
    cookies,
    fetch,
    async call(operation, request = {}) {
      const response = await fetch(toUrl(operation, request), {
        method: operation.method.toUpperCase(),
        headers: { ...(request.body === undefined ? {} : { "content-type": "application/json" }), ...request.headers },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      return parseAnswer(operation, response);
    },
  };
}

export const tokenOf = (url: string): string => new URL(url).hash.slice("#link=".length);

export async function signIn(
  app: TestApp,
  link: Partial<CreateLoginLink> & { headers?: Record<string, string> },
  browser = createTestBrowser(app),
): Promise<{ browser: TestBrowser; user: User }> {
  const { headers = {}, ...body } = link;
  const { url, user } = (await app.call(createLoginLink, { body })).reply;
  const answer = await browser.call(signInByLink, { body: { token: tokenOf(url) }, headers });
  if (answer.status !== 204) throw new Error(`sign-in answered ${answer.problem.code}`);
  return { browser, user };
}
