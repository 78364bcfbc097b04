// Time and randomness are passed in, so that decisions can be tested. Only the rooms where effects live may take them themselves.
import { readFileSync } from "node:fs";
import { listFiles } from "./list-files.ts";
import { reportProblems } from "./report-problems.ts";

const RESTRICTED = /\b(Date\.now\(|new Date\(\)|Math\.random\(|crypto\.getRandomValues\(|setTimeout\(|setInterval\()/;
/** Ports' real versions, composition roots, and the objects, whose shells take the platform's time. */
const ALLOWED =
  /^agent\/(system|testing)\/|^worker\/(testing|durable|[a-z]+-object)\/|^worker\/(index|services)\.ts$|^dashboard\/(main\.tsx|browser\/.*)$|\.(test|contract)\.ts$/;

reportProblems(
  listFiles("schema/*.ts", "worker/*.ts", "agent/*.ts", "dashboard/*.ts", "dashboard/*.tsx")
    .filter((file) => !ALLOWED.test(file))
    .flatMap((file) =>
      readFileSync(file, "utf8")
        .split("\n")
        .flatMap((line, index) => {
          const found = RESTRICTED.exec(line);
          return found && !/^\s*(\/\/|\*)/.test(line)
            ? [`${file}:${index + 1}: ${found[0]}) belongs behind a port`]
            : [];
        }),
    ),
);
