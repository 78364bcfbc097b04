// What a merge left behind in a file that nothing compiles.
import { readFileSync } from "node:fs";
import { listFiles } from "./list-files.ts";
import { reportProblems } from "./report-problems.ts";

const MARKER = /^(<{7}|>{7}|\|{7}) \S/m;

reportProblems(
  listFiles("*.md", "*.json", "*.toml", "*.sql", "*.sh", "*.css", "*.yml").filter((file) =>
    MARKER.test(readFileSync(file, "utf8")),
  ),
);
