// npm run bench -- NAME [flags] [--json]. Progress goes to standard error; standard output ends with one line, a JSON object.
import * as addresses from "./addresses.ts";
import * as agent from "./agent.ts";
import * as bgp from "./bgp.ts";
import * as cost from "./cost.ts";
import * as dashboard from "./dashboard.ts";
import * as datapath from "./datapath.ts";
import * as failover from "./failover.ts";
import * as peers from "./peers.ts";
import * as roaming from "./roaming.ts";
import * as sync from "./sync.ts";

interface Bench {
  /** One line for the list: name, what it measures, flags. */
  readonly summary: string;
  run(argv: string[]): Promise<Record<string, unknown>>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  addresses,
  agent,
  bgp,
  cost,
  dashboard,
  datapath,
  failover,
  peers,
  roaming,
  sync,
};

const [name = "", ...flags] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
const list = Object.values(BENCHES).map(({ summary }) => `  ${summary}\n`);
const usage = `Usage: npm run bench -- NAME [flags] [--json]\n${list.join("")}`;
if (name === "--help" || flags.includes("--help")) {
  process.stdout.write(usage);
} else if (bench === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  const isForPrograms = flags.includes("--json");
  const result = await bench.run(flags.filter((flag) => flag !== "--json"));
  if (!isForPrograms) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
