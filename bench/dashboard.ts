// bench dashboard: the list of machines over the API, and the dashboard's pages of a thousand machines in a real browser.
// Machines are simulated in this process; the control plane is the embedded one, a process of its own. All share the machine's cores.
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openBrowser } from "../e2e/browser/open-browser.ts";
import { measureFirstLoad } from "../scripts/dashboard/first-load.ts";
import { measurePages } from "./dashboard/measure-pages.ts";
import { seedMachines } from "./dashboard/seed-machines.ts";
import { type ControlPlaneProcess, startControlPlane } from "./lib/control-plane.ts";
import { percentile, round, since } from "./lib/measure.ts";

export const summary =
  "dashboard  the list of machines, and the pages of a browser (--machines 1000 --connected 250 --requests 200 --loads 7)";

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: {
      machines: { type: "string", default: "1000" },
      connected: { type: "string", default: "250" },
      requests: { type: "string", default: "200" },
      loads: { type: "string", default: "7" },
    },
  });
  const [machines, connected, requests, loads] = [values.machines, values.connected, values.requests, values.loads].map(
    Number,
  ) as [number, number, number, number];
  const controlPlane = await startControlPlane();
  try {
    const seeded = await seedMachines(controlPlane, { machines, connected });
    process.stderr.write(`${machines} machines enrolled, ${connected} of them connected: ${seeded.ms} ms\n`);
    // What enrolments leave to be done in the background is done.
    await delay(SETTLE_MS);
    const list = await measureList(controlPlane, requests);
    process.stderr.write(`the list: ${JSON.stringify(list)}\n`);
    const browser = await openBrowser();
    try {
      const pages = await measurePages(browser, controlPlane, { loads, machines, watchedId: seeded.watchedId });
      const { bytes, gzipBytes } = measureFirstLoad(PUBLIC_FOLDER, pages.files);
      return { bench: "dashboard", machines, connected, list, ...pages.numbers, firstLoad: { bytes, gzipBytes } };
    } finally {
      await browser.close();
      seeded.stop();
    }
  } finally {
    await controlPlane.stop();
  }
}

const SETTLE_MS = 5_000;
const PUBLIC_FOLDER = path.resolve(import.meta.dirname, "../build/public");

/** One after the other, each followed by its references, so that all meet the same weather. */
async function measureList({ origin, ownerToken }: ControlPlaneProcess, requests: number) {
  const headers = { authorization: `Bearer ${ownerToken}` };
  const paths = { list: "/api/v1/machines?limit=500", me: "/api/v1/me", document: "/api/v1/openapi.json" };
  const times: Record<keyof typeof paths, number[]> = { list: [], me: [], document: [] };
  let bytes = 0;
  for (let count = 0; count < requests; count++) {
    for (const name of ["list", "me", "document"] as const) {
      const started = performance.now();
      const response = await fetch(origin + paths[name], { headers });
      const { length } = await response.text();
      times[name].push(since(started));
      if (!response.ok) throw new Error(`${paths[name]} answered ${response.status}`);
      if (name === "list") bytes = length;
    }
  }
  const toNumbers = (values: number[]) => ({ p50: percentile(values, 50), p95: percentile(values, 95) });
  const of = { list: toNumbers(times.list), me: toNumbers(times.me), document: toNumbers(times.document) };
  return {
    ms: of.list,
    bytes,
    ratioToDocument: round(of.list.p50 / of.document.p50, 2),
    reference: { meMs: of.me, documentMs: of.document },
  };
}
