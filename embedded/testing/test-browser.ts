// A browser made of fetch: a jar of cookies for each origin, redirects followed one by one, and an Origin on whatever is no GET.

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
  readonly setCookies: readonly string[];
}

export interface TestBrowser {
  /** Follows redirects until a page comes, or `stopAt` says that the next address is the one wanted. */
  open(url: string, stopAt?: (url: URL) => boolean): Promise<Page>;
  send(method: string, url: string, options?: { body?: unknown; origin?: string | null }): Promise<Page>;
  cookiesOf(url: string): Map<string, string>;
}

const MAX_REDIRECTS = 20;

export function createTestBrowser(): TestBrowser {
  const jars = new Map<string, Map<string, string>>();
  const cookiesOf = (url: string): Map<string, string> => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };

  async function request(url: string, init: RequestInit = {}): Promise<Page & { location: string | null }> {
    const jar = cookiesOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(init.headers as Record<string, string>), ...(cookie === "" ? {} : { cookie }) };
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    const setCookies = response.headers.getSetCookie();
    for (const text of setCookies) keep(jar, text);
    const { status } = response;
    return {
      url: new URL(url),
      status,
      body: await response.text(),
      setCookies,
      location: response.headers.get("location"),
    };
  }

  return {
    cookiesOf,
    async open(url, stopAt = () => false) {
      let page = await request(url);
      for (let count = 0; page.location !== null; count++) {
        if (count > MAX_REDIRECTS) throw new Error(`too many redirects, now at ${page.url}`);
        const next = new URL(page.location, page.url);
        if (stopAt(next)) return { ...page, url: next };
        page = await request(next.href);
      }
      return page;
    },
    send(method, url, { body, origin = new URL(url).origin } = {}) {
      return request(url, {
        method,
        headers: {
          ...(origin === null ? {} : { origin }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    },
  };
}

function keep(jar: Map<string, string>, text: string): void {
  const [pair = "", ...attributes] = text.split(";").map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf("="));
  const isRemoval = attributes.some((part) => /^max-age=0$|^expires=.*1970/i.test(part));
  if (isRemoval) jar.delete(name);
  else jar.set(name, pair.slice(name.length + 1));
}
