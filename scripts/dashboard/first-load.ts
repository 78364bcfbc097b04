// How much a browser fetches before the dashboard shows its first page: the page, and what its scripts import at once.
import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

export interface FirstLoad {
  readonly files: readonly string[];
  readonly bytes: number;
  readonly gzipBytes: number;
}

/**
 * @param entries more files that are taken along: the chunk of the page that is opened
 * @param gzipSizes of files that were compressed before: give the same to several calls about one folder
 */
export function measureFirstLoad(
  folder: string,
  entries: readonly string[] = [],
  gzipSizes = new Map<string, number>(),
): FirstLoad {
  const page = readFileSync(path.join(folder, "index.html"), "utf8");
  const waiting = [...page.matchAll(/<(?:script|link)[^>]+(?:src|href)="\/([^"]+)"/g)]
    .map(([, file]) => file ?? "")
    .concat(entries);
  const files = new Set<string>(["index.html"]);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    if (file.endsWith(".js")) waiting.push(...findImports(folder, file));
  }
  const measure = (file: string) => {
    const content = readFileSync(path.join(folder, file));
    const gzipBytes = gzipSizes.get(file) ?? gzipSync(content).length;
    gzipSizes.set(file, gzipBytes);
    return { bytes: content.length, gzipBytes };
  };
  const sizes = [...files].map(measure);
  return {
    files: [...files],
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    gzipBytes: sizes.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0),
  };
}

/** Static imports, as the bundler writes them. */
const findImports = (folder: string, file: string): string[] =>
  [...readFileSync(path.join(folder, file), "utf8").matchAll(/(?:import|from)\s*"(\.\/[^"]+\.js)"/g)].map(
    ([, target]) => path.join(path.dirname(file), target ?? ""),
  );
