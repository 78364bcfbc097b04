import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildDashboard } from "./build-dashboard.ts";
import { measureFirstLoad } from "./first-load.ts";

const BUILD_LIMIT_MS = 120_000;
/** What the dashboard may cost before it shows its first page. */
const MAX_GZIP_BYTES = 300_000;
/** Each is a request that the browser and the control plane work for. */
const MAX_FILES = 15;

const folder = mkdtempSync(path.join(tmpdir(), "becket-dashboard-"));
beforeAll(() => buildDashboard(folder), BUILD_LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true }));
const read = (file: string) => readFileSync(path.join(folder, file), "utf8");

describe("the dashboard's first load", { timeout: BUILD_LIMIT_MS }, () => {
  it("is small, whichever page is opened", () => {
    const pages = readdirSync(path.join(folder, "assets")).filter((file) => /-(page|tab)-[^.]+\.js$/.test(file));
    expect(pages.length).toBeGreaterThan(10);
    const gzipSizes = new Map<string, number>();
    for (const page of pages) {
      const { gzipBytes, files } = measureFirstLoad(folder, [`assets/${page}`], gzipSizes);
      expect(gzipBytes, page).toBeLessThan(MAX_GZIP_BYTES);
      expect(files.length, files.join(" ")).toBeLessThan(MAX_FILES);
    }
  });

  it("begins with a script that knows the file of every page", () => {
    const [, script = "", data = ""] = /<script src="\/([^"]+)" data-pages="([^"]+)">/.exec(read("index.html")) ?? [];
    const files = Object.values(JSON.parse(data.replaceAll("&quot;", '"')) as Record<string, string[]>).flat();
    const chunks = readdirSync(path.join(folder, "assets")).filter((file) => /-(page|tab)-[^.]+\.js$/.test(file));
    expect(files.filter((file) => /-(page|tab)-/.test(file)).sort()).toEqual(
      chunks.map((file) => `/assets/${file}`).sort(),
    );
    for (const file of files) expect(existsSync(path.join(folder, file)), file).toBe(true);
    // In front of everything that would keep it waiting, and without anything that it would wait for itself.
    expect(read("index.html").indexOf(script)).toBeLessThan(read("index.html").indexOf('rel="stylesheet"'));
    expect(read(script)).not.toMatch(/\b(import|export)\b/);
  });

  it("brings no words of the API's document along", () => {
    const scripts = measureFirstLoad(folder).files.filter((file) => file.endsWith(".js"));
    expect(scripts.map(read).join("")).not.toContain("A machine in a mesh.");
  });

  it("follows what scripts import, and counts each file once", () => {
    const { files } = measureFirstLoad(folder);
    expect(files.some((file) => /^assets\/index-.*\.js$/.test(file))).toBe(true);
    expect(files.some((file) => /^assets\/start-.*\.js$/.test(file))).toBe(true);
    expect(new Set(files).size).toBe(files.length);
  });

  it("is not built again while nothing changed", async () => expect(await buildDashboard(folder)).toBe(false));
});
