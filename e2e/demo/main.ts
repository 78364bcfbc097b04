// npm run demo: a control plane and four machines in network namespaces, joined into one mesh, live in the terminal.
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { createLogUpdate } from "log-update";
import { createFleet, type Fleet } from "../fleet/fleet.ts";
import { fourMachines } from "../fleet/topologies.ts";
import { requireRoot } from "../lab/requirements.ts";
import { type FirstPing, joinInTurn } from "./join-in-turn.ts";
import { readReachability, readRows } from "./read-mesh.ts";
import { type MachineRow, renderTable } from "./render-table.ts";
import { summarise } from "./summarise.ts";

const HELP = `Usage: npm run demo [-- --check]

Builds a lab of four machines (two on one LAN behind a NAT, two with public addresses) and a control plane, enrols the machines, and
shows the mesh until Ctrl-C. Everything runs in network namespaces of this host, which are removed at the end. Needs root.

  --check   wait until every pair pings through the mesh, print one JSON object on the last line, tear down, exit 0 or 1
  --help    this text`;

const REFRESH_MS = 1_000;
const say = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());

  requireRoot();
  let fleet: Fleet | null = null;
  try {
    say("Building the agent …");
    await promisify(execFile)(process.execPath, ["scripts/build.ts"], { signal: stop.signal });
    say("Building a lab: alice and bob on one LAN behind a NAT, carol and dave with public addresses …");
    fleet = await createFleet({ topology: fourMachines, signal: stop.signal });
    const { mesh, pings } = await joinMachines(fleet);
    if (values.check) return await check(fleet, mesh.id, pings);
    await show(fleet, mesh.id, stop.signal);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    if (fleet !== null) say(await fleet.lab.diagnostics());
    throw error;
  } finally {
    if (fleet !== null) say("Taking the lab down …");
    await fleet?.down();
  }
}

async function joinMachines(fleet: Fleet) {
  say(`The control plane runs at ${fleet.controlPlane.url} in the lab; from here: ${fleet.api.url}/api/docs`);
  const mesh = await fleet.api.createMesh({ name: "demo", cidr: "10.77.0.0/16", isDefault: true });
  const pings = await joinInTurn(fleet, mesh.id, (name, own) => {
    const times = own.map((ping) => `${ping.to} after ${ping.ms} ms`).join(", ");
    say(`${name} joined${times === "" ? "" : ` and pinged ${times}`}`);
  });
  return { mesh, pings };
}

async function check(fleet: Fleet, meshId: string, pings: readonly FirstPing[]): Promise<number> {
  await fleet.untilConnected(meshId);
  const reachability = await readReachability(fleet, meshId);
  const summary = summarise(reachability, pings);
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.reachable4 === summary.pairs && summary.reachable6 === summary.pairs ? 0 : 1;
}

async function show(fleet: Fleet, meshId: string, signal: AbortSignal): Promise<void> {
  const isScreen = process.stdout.isTTY;
  const screen = createLogUpdate(process.stdout);
  let shown = "";
  while (!signal.aborted) {
    const rows = await readRows(fleet, meshId);
    const text = [renderTable(rows, { isColoured: isScreen }), ...renderHelp(fleet, rows)].join("\n");
    // Into a file or a pipe goes only what is news: a handshake's age is not.
    const news = JSON.stringify(rows.map((row) => ({ ...row, handshakeAgeSeconds: null })));
    if (isScreen) screen(text);
    else if (news !== shown) process.stdout.write(`${text}\n\n`);
    shown = news;
    await delay(REFRESH_MS, null, { signal }).catch(() => {}); // an abort ends the loop
  }
  if (isScreen) screen.done();
}

function renderHelp(fleet: Fleet, rows: readonly MachineRow[]): string[] {
  const target = rows.at(-1)?.meshIp ?? "";
  return [
    "",
    `Browser   ${fleet.api.url}/api/docs`,
    `Token     ${fleet.api.ownerToken}   (owner's API token; gone with the lab)`,
    `Inside    npm run lab -- exec --lab ${fleet.lab.id} ${rows[0]?.name} -- ping ${target}`,
    "Ctrl-C ends the demo and leaves nothing behind.",
  ];
}

process.exitCode = await main();
