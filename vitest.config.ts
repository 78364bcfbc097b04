import path from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { LONG_SCENARIOS } from "./e2e/long-scenarios.ts";
import { LongestFirst } from "./scripts/test/longest-first.ts";

/** A test that hangs is found out all the same; one that waits for a busy core shall not fail for it. */
const BUSY_MS = 30_000;
const BUSY = { testTimeout: BUSY_MS, hookTimeout: BUSY_MS };
/** Pure functions: nothing that one file does is seen by the next, and what they import is most of their time. */
const PURE = { isolate: false };

/** How much property tests of the Worker try, and a seed to try again: docs/testing.md. */
const FUZZ = {
  BECKET_FUZZ_RUNS: process.env.BECKET_FUZZ_RUNS ?? "",
  BECKET_FUZZ_SEED: process.env.BECKET_FUZZ_SEED ?? "",
};

const longScenarios = Object.keys(LONG_SCENARIOS).map((name) => `e2e/scenarios/${name}.test.ts`);

export default defineConfig(async () => {
  const migrations = await readD1Migrations(path.join(import.meta.dirname, "migrations"));
  return {
    test: {
      sequence: { sequencer: LongestFirst },
      // Most of them wait more than they compute: vitest would leave a core to nobody.
      maxWorkers: "100%",
      projects: [
        { test: { name: "schema", include: ["schema/**/*.test.ts"], ...PURE, ...BUSY } },
        {
          plugins: [
            cloudflareTest({
              wrangler: { configPath: "./wrangler.toml" },
              miniflare: { bindings: { TEST_MIGRATIONS: migrations, BECKET_LOG_LEVEL: "error", ...FUZZ } },
            }),
          ],
          test: {
            name: "worker",
            include: ["worker/**/*.test.ts"],
            setupFiles: ["./worker/testing/apply-migrations.ts"],
            ...BUSY,
          },
        },
        { test: { name: "agent", include: ["agent/**/*.test.ts"], ...BUSY } },
        {
          test: {
            name: "embedded",
            include: ["embedded/**/*.test.ts"],
            testTimeout: 4 * BUSY_MS,
            hookTimeout: 4 * BUSY_MS,
          },
        },
        { test: { name: "dashboard", include: ["dashboard/**/*.test.{ts,tsx}"], ...PURE, ...BUSY } },
        { test: { name: "scripts", include: ["scripts/**/*.test.ts", "bench/**/*.test.ts"], ...BUSY } },
        // The lab's pure parts need no root; what makes namespaces is `e2e`.
        { test: { name: "lab", include: ["e2e/lab/*/**/*.test.ts"], ...BUSY } },
        {
          test: {
            name: "e2e",
            include: ["e2e/**/*.test.ts"],
            exclude: ["e2e/lab/*/**", ...(process.env.BECKET_E2E_ALL === "1" ? [] : longScenarios)],
            testTimeout: 120_000,
            hookTimeout: 120_000,
            // Two cores: more labs at once than this starve each other's handshakes.
            maxWorkers: 2,
          },
        },
      ],
    },
  };
});
