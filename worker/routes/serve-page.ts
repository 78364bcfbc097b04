// What no static file answers: the dashboard has an address for each of its pages, and is one file.
import type { Services } from "../services.ts";

/**
 * @returns null where nothing is. A file that is gone stays gone: a browser that asks for a script of an earlier version and gets a page would
 * keep that page in the script's place for as long as it may keep scripts.
 */
export async function servePage(assets: Services["assets"], request: Request): Promise<Response | null> {
  const { pathname } = new URL(request.url);
  const isPage = !pathname.startsWith("/assets/") && !/\.[^/]*$/.test(pathname);
  if (!isPage || (request.method !== "GET" && request.method !== "HEAD")) return null;
  return assets.fetch(new Request(new URL("/", request.url), request));
}
