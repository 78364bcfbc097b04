// What keeps the agent's bundle small in memory: an idle agent is one of many programs on its machine.
import type { Plugin } from "esbuild";

/**
 * Node's own modules come by require(). An import reads every export of theirs, also those that are only made when they are read: that of
 * `node:http` alone brings undici, HTTP/2 and the web streams along: 59 MB instead of 46 in an otherwise empty process (Node 24).
 */
export const builtinsByRequire: Plugin = {
  name: "builtins-by-require",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "builtin" } : { path, external: true },
    );
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/** zod's messages in fifty languages: the agent speaks one. */
export const withoutLocales: Plugin = {
  name: "without-locales",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path }) => ({ path, namespace: "without-locales" }));
    onLoad({ filter: /./, namespace: "without-locales" }, () => ({ contents: "export {};" }));
  },
};

/** With one character beyond Latin-1, V8 keeps the whole text in two bytes a character. esbuild leaves such ones in comments only. */
export const toOneByteText = (code: string): string => code.replace(/[^\0-\xff]/g, "?");
