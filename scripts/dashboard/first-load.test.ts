import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildDashboard } from "./build-dashboard.ts";
import { measureFirstLoad } from "./first-load.ts";

const BUILD_LIMIT_MS = 120_000;
/** What the dashboard may cost before it shows its first page. */
const MAX_GZIP_BYTES = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), "becket-dashboard-"));
beforeAll(() => buildDashboard(folder), BUILD_LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true }));

describe("the dashboard's first load", () => {
  it("is small, whichever page is opened", () => {
    const pages = readdirSync(path.join(folder, "assets")).filter((file) => /-(page|tab)-[^.]+\.js$/.test(file));
    expect(pages.length).toBeGreaterThan(10);
    for (const page of pages) {
      expect(measureFirstLoad(folder, [`assets/${page}`]).gzipBytes, page).toBeLessThan(MAX_GZIP_BYTES);
    }
  });

  it("follows what scripts import, and counts each file once", () => {
    const { files } = measureFirstLoad(folder);
    expect(files.some((file) => /^assets\/index-.*\.js$/.test(file))).toBe(true);
    expect(files).toContain("theme.js");
    expect(new Set(files).size).toBe(files.length);
  });

  it("is not built again while nothing changed", async () => expect(await buildDashboard(folder)).toBe(false));
});
