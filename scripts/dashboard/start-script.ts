// Puts dashboard/start/start.ts into the document, where it stands before every other script: bundled by itself, named by its content, and
// told which files hold which page. What every page needs is fetched with the document's own scripts.
import { createHash } from "node:crypto";
import path from "node:path";
import { build } from "esbuild";
import type { Plugin, Rolldown } from "vite";

const PLACE = "<!-- start -->";

/** @param dashboard the folder */
export function startScript(dashboard: string): Plugin {
  const bundle = () => bundleScript(path.join(dashboard, "start/start.ts"));
  let fileName = "";
  return {
    name: "becket:start-script",
    async buildStart() {
      if (this.environment.mode !== "build") return;
      const source = await bundle();
      fileName = `assets/start-${createHash("sha256").update(source).digest("base64url").slice(0, 8)}.js`;
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: {
      order: "post",
      async handler(html, context) {
        // While it is served for development: nothing is fetched ahead.
        if (context.bundle === undefined) return html.replace(PLACE, `<script>${await bundle()}</script>`);
        const { everyPage, pages } = listPageFiles(context.bundle, html);
        const data = JSON.stringify(pages).replaceAll('"', "&quot;");
        return {
          html: html.replace(PLACE, `<script src="/${fileName}" data-pages="${data}"></script>`),
          tags: everyPage.map((href) => ({
            tag: "link",
            attrs: { rel: "modulepreload", crossorigin: true, href },
            injectTo: "head" as const,
          })),
        };
      },
    },
  };
}

async function bundleScript(file: string): Promise<string> {
  const options = { bundle: true, minify: true, write: false, format: "iife", target: "es2023" } as const;
  const { outputFiles } = await build({ entryPoints: [file], ...options });
  return outputFiles[0]?.text ?? "";
}

/** What pages need beyond what the document names itself: each, and all of them. */
function listPageFiles(bundle: Rolldown.OutputBundle, html: string) {
  const chunks = Object.values(bundle).filter(
    (file): file is Rolldown.OutputChunk => file.type === "chunk" && /-(page|tab)$/.test(file.name),
  );
  const needed = chunks.map(({ name, fileName, imports }) => ({
    name,
    files: [fileName, ...imports].map((file) => `/${file}`).filter((file) => !html.includes(file)),
  }));
  const everyPage = (needed[0]?.files ?? []).filter((file) => needed.every(({ files }) => files.includes(file)));
  const pages = needed.map(({ name, files }) => [name, files.filter((file) => !everyPage.includes(file))]);
  return { everyPage, pages: Object.fromEntries(pages) as Record<string, string[]> };
}
