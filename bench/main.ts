// npm run bench -- NAME [flags] [--json]. Progress goes to standard error; standard output ends with one line, a JSON object.
import * as addresses from "./addresses.ts";
import * as sync from "./sync.ts";

interface Bench {
  /** One line for the list: name, what it measures, flags. */
  readonly summary: string;
  run(argv: string[]): Promise<Record<string, unknown>>;
}

const BENCHES: Readonly<Record<string, Bench>> = { addresses, sync };

const [name = "", ...flags] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  const list = Object.values(BENCHES).map(({ summary }) => `  ${summary}\n`);
  process.stderr.write(`usage: npm run bench -- NAME [flags] [--json]\n${list.join("")}`);
  process.exitCode = 2;
} else {
  const isForPrograms = flags.includes("--json");
  const result = await bench.run(flags.filter((flag) => flag !== "--json"));
  if (!isForPrograms) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
