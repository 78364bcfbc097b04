import { QueryClient } from "@tanstack/react-query";
import type { AnyRoute } from "@tanstack/react-router";
import { expect, it } from "vitest";
import { createClient } from "../api/client.ts";
import { createAppRouter } from "../router.tsx";
import { toPageChunks } from "./page-chunks.ts";

const client = createClient({ fetch: () => Promise.reject(new Error("nothing is asked")), readToken: () => null });
const { routesByPath } = createAppRouter({ client, queries: new QueryClient() });

/** The files that a route and those around it are loaded from, without folder and ending. */
function listLazyFiles(route: AnyRoute): string[] {
  const text = String((route as { lazyFn?: () => unknown }).lazyFn ?? "");
  const names = [...text.matchAll(/([^/"']+)\.tsx["']/g)].map(([, name]) => name ?? "");
  return [...(route.parentRoute ? listLazyFiles(route.parentRoute) : []), ...names];
}

it("are what the router loads, for each of its addresses", () => {
  const paths = Object.entries(routesByPath as Record<string, AnyRoute>).filter(([path]) => path !== "/");
  expect(paths.length).toBeGreaterThan(20);
  for (const [path, route] of paths) {
    const address = path.replace(/\$\w+/g, "msh_01kaqx4d8e6v2m9t7w3hncz5rb");
    expect(listLazyFiles(route).length, path).toBeGreaterThan(0);
    expect(toPageChunks(address), path).toEqual(listLazyFiles(route));
  }
});

it("are those of the machines at the address that has no page of its own", () => {
  expect(toPageChunks("/")).toEqual(["machines-page"]);
});
