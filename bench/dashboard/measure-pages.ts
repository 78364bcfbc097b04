// Pages in Debian's Chromium: how long until rows stand there and take a click, and whether they scroll without a hitch: machines, and the peers
// of one, of which it tells every second.
import type { Browser, CDPSession, Page } from "playwright-core";
import { apiClient } from "../lib/api.ts";
import type { ControlPlaneProcess } from "../lib/control-plane.ts";
import { median, percentile, round } from "../lib/measure.ts";

interface PagesOptions {
  readonly loads: number;
  readonly machines: number;
  readonly watchedId: string;
}

export async function measurePages(browser: Browser, controlPlane: ControlPlaneProcess, options: PagesOptions) {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } });
  const page = await context.newPage();
  const files = new Set<string>();
  page.on("response", (response) => {
    const { origin, pathname } = new URL(response.url());
    if (origin === controlPlane.origin && /^\/assets\/.*\.js$/.test(pathname)) files.add(pathname.slice(1));
  });
  await signIn(page, controlPlane);
  const cold: Load[] = [];
  const warm: Load[] = [];
  const empty: number[] = [];
  for (let count = 0; count < options.loads; count++) {
    // In turn, so that all meet the same weather.
    empty.push(await measureEmpty(page, controlPlane.origin));
    cold.push(await measureLoad(page, controlPlane.origin, { hasCache: false, ...options }));
    warm.push(await measureLoad(page, controlPlane.origin, { hasCache: true, ...options }));
  }
  process.stderr.write(`loads, cold: ${JSON.stringify(cold)}, warm: ${JSON.stringify(warm)}\n`);
  const scroll = await measureScroll(page);
  process.stderr.write(`scrolling: ${JSON.stringify(scroll)}\n`);
  await page.goto(`${controlPlane.origin}/machines/${options.watchedId}/peers`);
  await page.locator(`[role="table"][aria-rowcount="${options.machines}"]`).waitFor();
  const peersScroll = await measureScroll(page);
  process.stderr.write(`scrolling peers: ${JSON.stringify(peersScroll)}\n`);
  const emptyPageMs = round(median(empty), 0);
  const toNumbers = (loads: readonly Load[], key: keyof Load) => {
    const values = loads.map((load) => load[key]);
    return { p50: round(median(values), 0), worst: round(Math.max(...values), 0) };
  };
  return {
    numbers: {
      interactiveMs: { cold: toNumbers(cold, "first"), warm: toNumbers(warm, "first") },
      ratioToEmptyPage: {
        cold: round(toNumbers(cold, "first").p50 / emptyPageMs, 2),
        warm: round(toNumbers(warm, "first").p50 / emptyPageMs, 2),
      },
      wholeListMs: { cold: toNumbers(cold, "whole"), warm: toNumbers(warm, "whole") },
      scrollFrameMs: scroll,
      peersScrollFrameMs: peersScroll,
      reference: { emptyPageMs },
    },
    files: [...files],
  };
}

async function signIn(page: Page, controlPlane: ControlPlaneProcess): Promise<void> {
  const { url } = await apiClient(controlPlane)("POST", "/login-links", { name: "bench", role: "viewer" });
  await page.goto(String(url));
  await page.getByRole("table", { name: "Machines" }).waitFor();
}

// Scripts as text: this program knows no DOM, and the page's own policy lets the debugger evaluate, nobody else.

/** Resolves with milliseconds since the start of the navigation: rows that take a click, and the last machine counted. */
const toInteractiveScript = (machines: number): string => `new Promise((resolve) => {
  const count = () => Number(document.querySelector('[role="table"]')?.getAttribute("aria-rowcount") ?? 0);
  // Drawn, and the thread free again.
  const untilFree = (done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0));
  let first = null;
  const look = () => {
    if (first === null && document.querySelectorAll('[role="row"]').length > 10) {
      first = 0;
      untilFree((at) => (first = at));
    }
    if (count() !== ${machines + 1}) return requestAnimationFrame(look);
    untilFree((whole) => resolve({ first: first || whole, whole }));
  };
  look();
})`;

/** Resolves with the milliseconds between frames, from the first row to the last and back. */
const SCROLL_SCRIPT = `new Promise((resolve) => {
  const gaps = [];
  let direction = 1;
  let before = performance.now();
  const frame = (now) => {
    gaps.push(now - before);
    before = now;
    const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    if (direction > 0 && isAtEnd) direction = -1;
    else if (direction < 0 && scrollY <= 0) return resolve(gaps.slice(1));
    scrollBy(0, direction * 240);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

/** From the start of the navigation. */
async function measureLoad(
  page: Page,
  origin: string,
  { hasCache, machines }: { readonly hasCache: boolean; readonly machines: number },
): Promise<Load> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Network.enable");
  await debug.send("Network.setCacheDisabled", { cacheDisabled: !hasCache });
  await page.goto("about:blank");
  await page.goto(`${origin}/machines`, { waitUntil: "commit" });
  const { first, whole } = (await page.evaluate(toInteractiveScript(machines))) as Load;
  await debug.detach();
  return { first: round(first, 0), whole: round(whole, 0) };
}

interface Load {
  readonly first: number;
  readonly whole: number;
}

/** From the first row to the last and back, by as much as a wheel turns in a frame. */
async function measureScroll(page: Page) {
  await page.waitForLoadState("networkidle").catch(() => undefined);
  const debug = await page.context().newCDPSession(page);
  // Processor time of the page's thread: it says the same however busy the machine is. Counted from here on.
  await debug.send("Performance.enable", { timeDomain: "threadTicks" });
  const before = await readThreadMs(debug);
  const gaps = (await page.evaluate(SCROLL_SCRIPT)) as number[];
  const threadMs = (await readThreadMs(debug)) - before;
  await debug.detach();
  return {
    frames: gaps.length,
    p50: percentile(gaps, 50),
    p95: percentile(gaps, 95),
    worst: round(Math.max(...gaps), 1),
    threadMsPerFrame: round(threadMs / gaps.length, 1),
    longerThan50Ms: gaps.filter((gap) => gap > 50).length,
  };
}

async function readThreadMs(debug: CDPSession): Promise<number> {
  const { metrics } = await debug.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1_000;
}

/** What the browser needs here for a page with nothing on it. */
async function measureEmpty(page: Page, origin: string): Promise<number> {
  await page.goto("about:blank");
  const started = performance.now();
  await page.goto(`${origin}/favicon.svg`);
  return performance.now() - started;
}
