// Every relative link in a Markdown file leads to a file, and to a heading where it names one.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { listFiles } from "./list-files.ts";
import { parseHeadings, parseLinks } from "./parse-markdown.ts";
import { reportProblems } from "./report-problems.ts";

reportProblems(
  listFiles("*.md").flatMap((file) =>
    parseLinks(readFileSync(file, "utf8"))
      .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link))
      .flatMap((link) => {
        const problem = checkLink(file, link);
        return problem === null ? [] : [`${file}: ${link}: ${problem}`];
      }),
  ),
);

function checkLink(from: string, link: string): string | null {
  const [target = "", heading] = link.split("#");
  const file =
    target === "" ? from : path.join(target.startsWith("/") ? "." : path.dirname(from), decodeURIComponent(target));
  if (!existsSync(file)) return "there is no such file";
  if (heading === undefined || !file.endsWith(".md")) return null;
  return parseHeadings(readFileSync(file, "utf8")).includes(heading) ? null : "there is no such heading";
}
