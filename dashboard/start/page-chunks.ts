// Which files hold the page of an address, by the names that the bundler takes from them. Pure. The router says the same in code that is not
// there yet (page-chunks.test.ts compares them).
const PAGES: readonly (readonly [address: RegExp, toNames: (part: string) => readonly string[]])[] = [
  [/^\/()$/, () => ["machines-page"]],
  [/^\/machines\/[^/]+\/?([^/]*)$/, (tab) => ["machine-page", `${tab || "overview"}-tab`]],
  [/^\/meshes\/[^/]+\/?([^/]*)$/, (tab) => ["mesh-page", `${MESH_TABS[tab] ?? tab}-tab`]],
  [/^\/policy-sets\/[^/]+()$/, () => ["policy-set-page"]],
  [/^\/([^/]+)\/?$/, (name) => [`${name}-page`]],
];
const MESH_TABS: Readonly<Record<string, string>> = { "": "members", events: "mesh-events" };

export function toPageChunks(pathname: string): readonly string[] {
  for (const [address, toNames] of PAGES) {
    const found = address.exec(pathname);
    if (found !== null) return toNames(found[1] ?? "");
  }
  return [];
}
