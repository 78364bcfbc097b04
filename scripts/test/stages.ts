// The stages of `npm test`, cheapest first.
import { readdirSync } from "node:fs";
import path from "node:path";

export interface Stage {
  readonly name: string;
  readonly heading: string;
  /** Why it can't run without root; absent: it can. */
  readonly needsRoot?: string;
  /** A command that ends with 0 or not; `vitest` stages are counted test by test. */
  readonly kind: "command" | "vitest";
  readonly argv: readonly string[];
}

const CHECKS = readdirSync(path.join(import.meta.dirname, "../checks")).filter((file) =>
  /^check-.*(?<!\.test)\.ts$/.test(file),
);

export const STAGES: readonly Stage[] = [
  { name: "lint", heading: "format and lint", kind: "command", argv: ["biome", "check", "--error-on-warnings", "."] },
  { name: "types", heading: "types", kind: "command", argv: ["tsc", "-b"] },
  ...CHECKS.map((file): Stage => {
    const name = file.replace(/^check-|\.ts$/g, "");
    return { name, heading: name.replaceAll("-", " "), kind: "command", argv: ["node", `scripts/checks/${file}`] };
  }),
  {
    name: "unit",
    heading: "unit tests, Worker tests in workerd, agent tests",
    kind: "vitest",
    argv: ["vitest", "run", "--project", "!e2e"],
  },
  { name: "build", heading: "build", kind: "command", argv: ["node", "scripts/build.ts"] },
  {
    name: "e2e",
    heading: "end-to-end tests in network namespaces",
    needsRoot: "network namespaces and WireGuard devices need root",
    kind: "vitest",
    argv: ["vitest", "run", "--project", "e2e"],
  },
];
