// A file that outgrows its cap hides a second noun or a pure half; see CONTRIBUTING.
import { readFileSync } from "node:fs";
import { listFiles } from "./list-files.ts";
import { reportProblems } from "./report-problems.ts";

const CAPS = [
  { pattern: /\.test(-d)?\.tsx?$/, maxLines: 450 },
  { pattern: /^scripts\//, maxLines: 100 },
  { pattern: /\.(ts|tsx|mjs|js)$/, maxLines: 350 },
];
/** Generated files and tables of data. */
const EXEMPT = /(^|\/)testdata\/|\.d\.ts$/;

reportProblems(
  listFiles("*.ts", "*.tsx", "*.mjs", "*.js")
    .filter((file) => !EXEMPT.test(file))
    .flatMap((file) => {
      const lines = readFileSync(file, "utf8").trimEnd().split("\n").length;
      const maxLines = CAPS.find((cap) => cap.pattern.test(file))?.maxLines ?? 0;
      return lines > maxLines ? [`${file}: ${lines} lines, the cap is ${maxLines}`] : [];
    }),
);
