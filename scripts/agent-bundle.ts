// The agent as one file for Node 20 and newer, and what keeps it small in memory: an idle agent is one of many programs on its machine.
import path from "node:path";
import { build, type Plugin } from "esbuild";

const repository = path.resolve(import.meta.dirname, "..");

/** Its text, of one byte a character: the same for the same sources. Syntax is shortened, names stay, so that a stack trace can be read. */
export async function bundleAgent(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(repository, "agent/main.ts")],
    outfile: path.join(repository, "build/agent/becket.mjs"),
    write: false,
    absWorkingDir: repository,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    minifySyntax: true,
    legalComments: "eof",
    logLevel: "warning",
    plugins: [builtinsByRequire, withoutLocales],
    banner: {
      js: [
        'import { createRequire as __createRequire } from "node:module";',
        "const require = __createRequire(import.meta.url);",
      ].join("\n"),
    },
  });
  return toOneByteText(outputFiles[0]?.text ?? "");
}

/**
 * Node's own modules come by require(). An import reads every export of theirs, also those that are only made when they are read: that of
 * `node:http` alone brings undici, HTTP/2 and the web streams along: 59 MB instead of 46 in an otherwise empty process (Node 24).
 */
const builtinsByRequire: Plugin = {
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
const withoutLocales: Plugin = {
  name: "without-locales",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path }) => ({ path, namespace: "without-locales" }));
    onLoad({ filter: /./, namespace: "without-locales" }, () => ({ contents: "export {};" }));
  },
};

/** With one character beyond Latin-1, V8 keeps the whole text in two bytes a character. esbuild leaves such ones in comments only. */
const toOneByteText = (code: string): string => code.replace(/[^\0-\xff]/g, "?");
