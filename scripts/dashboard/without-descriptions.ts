// The page's schemas without what the API's document says of them: `.describe(…)` and `.meta(…)` each make a copy of the schema while the
// page starts, which is most of that time, and nobody reads them there.
import { type Plugin, parseAst, Visitor } from "vite";

const NAMES = new Set(["describe", "meta"]);

export const withoutDescriptions = (folder: string): Plugin => ({
  name: "becket:without-descriptions",
  enforce: "pre",
  transform(code, id) {
    return id.startsWith(`${folder}/`) && id.endsWith(".ts") ? { code: removeDescriptions(code), map: null } : null;
  },
});

/** @param code TypeScript; calls of methods by these names are all taken for zod's */
export function removeDescriptions(code: string): string {
  const spans: (readonly [start: number, end: number])[] = [];
  const visitor = new Visitor({
    CallExpression({ callee, end }) {
      if (callee.type !== "MemberExpression" || callee.computed) return;
      const { object, property } = callee;
      if (property.type === "Identifier" && NAMES.has(property.name)) spans.push([object.end, end]);
    },
  });
  visitor.visit(parseAst(code, { lang: "ts" }));
  // From the end, so that the positions before stay; what lies in one that is removed goes with it.
  return spans
    .toSorted(([, a], [, b]) => b - a)
    .filter(([, end], index, all) => !all.slice(0, index).some(([start]) => start < end))
    .reduce((text, [start, end]) => text.slice(0, start) + text.slice(end), code);
}
