// npm run demo: a control plane and five machines on five kinds of network, joined into one mesh, and what is beyond it, live in the terminal.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { createLogUpdate } from "log-update";
import { CreatedLoginLink } from "#schema/api/sign-in";
import { createFleet, type Fleet } from "../fleet/fleet.ts";
import { demoNetworks } from "../fleet/topologies.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { requireRoot } from "../lab/requirements.ts";
import { type Beyond, reachBeyond, readBeyond } from "./beyond.ts";
import { areSettled } from "./expected-paths.ts";
import { type FirstPing, type JoinOptions, joinInTurn } from "./join-in-turn.ts";
import { type DemoMesh, readPaths, readReachability, readRows } from "./read-mesh.ts";
import { renderBeyond } from "./render-beyond.ts";
import { type MachineRow, renderReasons, renderTable } from "./render-table.ts";
import { summarise } from "./summarise.ts";

const HELP = `Usage: npm run demo [-- --check]

Builds a lab of five machines (two behind easy NATs of their own, one behind a hard one, one where UDP is blocked, one with a public
address) and a control plane, enrols the machines, and shows how each pair talks until Ctrl-C. Then it goes beyond the mesh: a printer on alice's
LAN, an address that bob and carol hold, and a second mesh behind carol. Everything runs in network namespaces of this host, which are removed at the
end. Needs root.

  --check   wait until every pair pings through the mesh and is direct where it can be, and all reach what is beyond; print one JSON object on
            the last line, tear down, exit 0 or 1
  --help    this text`;

const WRONG_USAGE = 2;
const NAMES = ["alice", "bob", "hugo", "olga", "carol"];
const REFRESH_MS = 1_000;
const SETTLE_LIMIT_MS = 60_000;
/** As long as a link can be good for. */
const LINK_SECONDS = 86_400;
const say = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const values = readFlags();
  if (values === null) return WRONG_USAGE;
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const stop = new AbortController();
  const onSignal = () => {
    if (!stop.signal.aborted) say("Taking the lab down …");
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);

  requireRoot();
  let fleet: Fleet | null = null;
  try {
    say("Building the agent …");
    await promisify(execFile)(process.execPath, ["scripts/build.ts"], { signal: stop.signal });
    say(
      "Building a lab: alice and bob behind easy NATs, hugo behind a hard one, olga where UDP is blocked, carol public …",
    );
    fleet = await createFleet({ topology: demoNetworks, signal: stop.signal });
    const { mesh, pings } = await joinMachines(fleet, stop.signal);
    say("Going beyond the mesh: alice's LAN, an address of bob and carol, and dora's mesh behind carol …");
    const beyond = await reachBeyond(fleet, mesh);
    const demo = { meshId: mesh.id, names: NAMES };
    if (values.check) return await check(fleet, demo, { pings, beyond });
    await show(fleet, demo, { beyond, link: await makeLink(fleet), signal: stop.signal });
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    if (fleet !== null) say(await fleet.lab.diagnostics());
    throw error;
  } finally {
    if (fleet !== null && !stop.signal.aborted) say("Taking the lab down …");
    await fleet?.down();
  }
}

function readFlags() {
  try {
    return parseArgs({ options: { check: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return null;
  }
}

async function joinMachines(fleet: Fleet, signal: AbortSignal) {
  say(`The control plane runs at ${fleet.controlPlane.url} in the lab; from here: ${fleet.api.url}/api/docs`);
  const mesh = await fleet.api.createMesh({ name: "demo", cidr: "10.77.0.0/16", isDefault: true });
  const onJoined: JoinOptions["onJoined"] = (name, own) => {
    const times = own.map((ping) => `${ping.to} after ${ping.ms} ms`).join(", ");
    say(`${name} joined${times === "" ? "" : ` and pinged ${times}`}`);
  };
  const pings = await joinInTurn(fleet, mesh.id, { names: NAMES, signal, onJoined });
  return { mesh, pings };
}

async function check(
  fleet: Fleet,
  mesh: DemoMesh,
  { pings, beyond }: { pings: readonly FirstPing[]; beyond: readonly Beyond[] },
): Promise<number> {
  const { meshId, names } = mesh;
  await fleet.untilConnected(meshId, { members: names.length });
  const reachability = await readReachability(fleet, meshId);
  const settled = { pairs: reachability.pairs, blocked: ["olga"] };
  const areAsExpected = await eventually(async () => areSettled(await readPaths(fleet, mesh), settled), {
    withinMs: SETTLE_LIMIT_MS,
    everyMs: 250,
    describe: "every pair is direct that can be",
  }).catch(() => false); // what it came to is in the summary
  const isBeyondReached = await eventually(
    async () => (await readBeyond(fleet, mesh, beyond)).every(({ reachedBy, wanted }) => reachedBy.length === wanted),
    { withinMs: SETTLE_LIMIT_MS, everyMs: 250, describe: "all reach what is beyond the mesh" },
  ).catch(() => false);
  const summary = {
    ...summarise(reachability, pings, await readPaths(fleet, mesh)),
    beyond: await readBeyond(fleet, mesh, beyond),
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  const isReachable = summary.reachable4 === summary.pairs && summary.reachable6 === summary.pairs;
  return isReachable && areAsExpected && isBeyondReached ? 0 : 1;
}

/** Signs a browser on this host in to the dashboard. */
async function makeLink({ api }: Fleet): Promise<string> {
  const whom = { name: "owner", role: "owner", expiresInSeconds: LINK_SECONDS };
  return CreatedLoginLink.parse(await api.call("POST", "/login-links", whom)).url;
}

interface ShowOptions {
  readonly beyond: readonly Beyond[];
  readonly link: string;
  readonly signal: AbortSignal;
}

async function show(fleet: Fleet, mesh: DemoMesh, { beyond, link, signal }: ShowOptions): Promise<void> {
  const isScreen = process.stdout.isTTY;
  const screen = createLogUpdate(process.stdout);
  let shown = "";
  while (!signal.aborted) {
    const [rows, places] = await Promise.all([readRows(fleet, demoNetworks, mesh), readBeyond(fleet, mesh, beyond)]);
    const text = [
      renderTable(rows, { isColoured: isScreen }),
      ...withSpace(renderReasons(rows)),
      "",
      renderBeyond(places, { isColoured: isScreen }),
      ...renderHelp(fleet, rows, link),
    ].join("\n");
    // Into a file or a pipe goes only what is news: a round-trip time is not.
    const news = JSON.stringify([
      places,
      rows.map(({ peers, ...row }) => [row, [...peers].map(([name, { path }]) => [name, path])]),
    ]);
    if (isScreen) screen(text);
    else if (news !== shown) process.stdout.write(`${text}\n\n`);
    shown = news;
    await delay(REFRESH_MS, null, { signal }).catch(() => {}); // an abort ends the loop
  }
  if (isScreen) screen.done();
}

const withSpace = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : ["", ...lines]);

function renderHelp({ api, lab }: Fleet, rows: readonly MachineRow[], link: string): string[] {
  const target = rows.at(-1)?.meshIp ?? "";
  return [
    "",
    `Dashboard   ${link}   (signs you in, once)`,
    `Token       ${api.ownerToken}   (the owner's; goes with the lab)`,
    `Links       BECKET_OWNER_TOKEN=… npm run -s login-link -- --url ${api.url}`,
    `API         ${api.url}/api/docs`,
    `Inside      npm run lab -- exec --lab ${lab.id} ${rows[0]?.name} -- ping ${target}`,
    "Ctrl-C ends the demo and leaves nothing behind.",
  ];
}

process.exitCode = await main();
