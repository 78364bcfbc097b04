// Where the browser goes after a sign-in: a path of this origin, whatever somebody wrote into a link. Pure.

/** Any origin does: only whether the text leaves it is asked. */
const HERE = "https://becket.invalid";
const MAX_LENGTH = 1_024;

/** The path, in the form that a browser would make of it; `/` for everything else. */
export function parseReturnTo(text: string | null): string {
  if (text === null || text.length > MAX_LENGTH || !text.startsWith("/") || !URL.canParse(text, HERE)) return "/";
  const { origin, pathname, search, hash } = new URL(text, HERE);
  const path = pathname + search + hash;
  // `/.//host` has this origin, and is `//host` when it is written out: another host. The API is no page.
  const isPage = origin === HERE && !path.startsWith("//") && !/^\/api(\/|$)/.test(pathname);
  return isPage ? path : "/";
}
