// Debian's Chromium, and what is wrong with a page that it shows.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { LAB_VARIABLE } from "../lab/system/proc.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const CHROMIUM = "/usr/bin/chromium";

/** Root's Chromium has no sandbox of its own; it sees nothing but our pages. */
export const openBrowser = (executablePath = CHROMIUM): Promise<Browser> =>
  chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** One that sits at a node of a lab and sees what is seen there. It ends with the lab at the latest. */
export function openBrowserAt(lab: Lab, node: LabNode): Promise<Browser> {
  const launcher = path.join(node.files.folder, "chromium");
  const argv = ["env", `${LAB_VARIABLE}=${lab.id}`, ...node.argv([CHROMIUM])];
  writeFileSync(launcher, `#!/bin/sh\nexec ${argv.join(" ")} "$@"\n`, { mode: 0o755 });
  return openBrowser(launcher);
}

/** Collects what a page asks of other hosts, and what it complains of, from now on. */
export function watchPage(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`asks ${request.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(`throws ${error.message}`));
  page.on("console", (message) => {
    // Answers that are no success stand in the console by themselves; they are shown on the page.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}

/**
 * Serious and critical findings of axe, and whether the page is wider than the window.
 * @param onlyColours the page was examined before in this width, in the other theme
 */
export async function examinePage(page: Page, { onlyColours = false } = {}): Promise<string[]> {
  // By the debugger: the page's own policy lets no script in.
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axe);
  const found = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] ${onlyColours ? ", runOnly: ['color-contrast']" : ""} })`,
  )) as AxeResults;
  const overflow = Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
  return [
    ...found.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" ")}`),
    ...(overflow > 0 ? [`is ${overflow} px wider than the window`] : []),
  ];
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}
