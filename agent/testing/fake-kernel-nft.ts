// `nft`, as far as the agent uses it: a script that replaces tables, and a list of one table as JSON.
import type { Argv } from "../system/exec.ts";
import type { FakeChain, FakeKernelState, FakeTable, Reply } from "./fake-kernel-state.ts";

const NO_SUCH_TABLE = "Error: No such file or directory";

export function runNft(kernel: FakeKernelState, argv: Argv, stdin: string): Reply {
  const command = argv.slice(1).join(" ");
  if (command === "-f -") return runScript(kernel, stdin);
  const name = /^-j list table (\S+ \S+)$/.exec(command)?.[1];
  if (name === undefined) throw new Error(`the fake kernel does not know ${argv.join(" ")}`);
  const table = kernel.tables.get(name);
  return table === undefined ? { stderr: NO_SUCH_TABLE } : { stdout: `${JSON.stringify(toJson(name, table))}\n` };
}

/** All of it or nothing, as in the real one. */
function runScript(kernel: FakeKernelState, script: string): Reply {
  const tables = new Map(kernel.tables);
  let table: FakeTable = new Map();
  let chain: FakeChain = { hook: "", priority: 0, rules: [] };
  for (const line of script.split("\n").map((text) => text.trim())) {
    const [, opened] = /^table (\S+ \S+) \{$/.exec(line) ?? [];
    const [, deleted] = /^delete table (\S+ \S+)$/.exec(line) ?? [];
    const [, ofTable, deletedChain] = /^delete chain (\S+ \S+) (\S+)$/.exec(line) ?? [];
    const [, chainName] = /^chain (\S+) \{$/.exec(line) ?? [];
    const [, hook, priority] = /^type filter hook (\S+) priority (-?\d+); policy accept;$/.exec(line) ?? [];
    if (opened !== undefined) {
      table = new Map(tables.get(opened));
      tables.set(opened, table);
    } else if (deleted !== undefined) {
      if (!tables.delete(deleted)) return { stderr: NO_SUCH_TABLE };
    } else if (ofTable !== undefined && deletedChain !== undefined) {
      table = new Map(tables.get(ofTable));
      if (!table.delete(deletedChain)) return { stderr: NO_SUCH_TABLE };
      tables.set(ofTable, table);
    } else if (chainName !== undefined) {
      const known = table.get(chainName);
      chain = { hook: known?.hook ?? "", priority: known?.priority ?? 0, rules: [...(known?.rules ?? [])] };
      table.set(chainName, chain);
    } else if (hook !== undefined) Object.assign(chain, { hook, priority: Number(priority) });
    else if (!["", "}"].includes(line)) chain.rules.push(line);
  }
  kernel.tables.clear();
  for (const [name, made] of tables) kernel.tables.set(name, made);
  return { stdout: "" };
}

function toJson(name: string, table: FakeTable): object {
  const [family, tableName] = name.split(" ");
  const ours = { family, table: tableName };
  return {
    nftables: [
      { metainfo: { version: "1.0.6", release_name: "Lester Gooch #5", json_schema_version: 1 } },
      { table: { family, name: tableName, handle: 1 } },
      ...[...table].map(([chain, { hook, priority }]) => ({
        chain: { ...ours, name: chain, handle: 1, type: "filter", hook, prio: priority, policy: "accept" },
      })),
      ...[...table].flatMap(([chain, { rules }]) =>
        rules.map((rule) => ({ rule: { ...ours, chain, handle: 1, expr: toExpressions(rule) } })),
      ),
    ],
  };
}

const PHRASE =
  /(?<fib>fib daddr type \w+)|(?<meta>[io]ifname) (?<not>!= )?(?<names>\{[^}]*\}|\S+)|(?<drop>drop)$|@(?<base>\w+),(?<offset>\d+),(?<len>\d+) (?<bits>\{[^}]*\}|\S+)|(?<protocol>\w+) (?<field>\w+) (?<set>set )?(?<value>\S+)/g;

function toExpressions(rule: string): object[] {
  return [...rule.matchAll(PHRASE)].map(({ groups = {} }) => {
    const { fib, meta, names = "", drop, base, bits = "", protocol, field, set, value = "" } = groups;
    const op = groups.not === undefined ? "==" : "!=";
    const match = (left: object, right: unknown) => ({ match: { op, left, right } });
    if (drop !== undefined) return { drop: null };
    if (meta !== undefined) {
      const right = [...names.matchAll(/[^\s",{}]+/g)].map(([name]) => name).reverse();
      return match({ meta: { key: meta } }, names.startsWith("{") ? { set: right } : right[0]);
    }
    if (fib !== undefined) return match({ fib: { result: "type", flags: ["daddr"] } }, fib.split(" ")[3]);
    if (base !== undefined) {
      const payload = { base, offset: Number(groups.offset), len: Number(groups.len) };
      const numbers = [...bits.matchAll(/\w+/g)].map(([text]) => Number(text));
      return match({ payload }, bits.startsWith("{") ? { set: numbers } : numbers[0]);
    }
    const key = { payload: { protocol, field } };
    const literal = /^\d+$/.test(value) ? Number(value) : value;
    return set === undefined ? match(key, literal) : { mangle: { key, value: literal } };
  });
}
