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
  let chain: FakeChain = { type: "filter", hook: "", priority: 0, rules: [] };
  for (const line of script.split("\n").map((text) => text.trim())) {
    const [, opened] = /^table (\S+ \S+) \{$/.exec(line) ?? [];
    const [, deleted] = /^delete table (\S+ \S+)$/.exec(line) ?? [];
    const [, ofTable, deletedChain] = /^delete chain (\S+ \S+) (\S+)$/.exec(line) ?? [];
    const [, chainName] = /^chain (\S+) \{$/.exec(line) ?? [];
    const [, type, hook, priority] = /^type (filter|nat) hook (\S+) priority (-?\d+); policy accept;$/.exec(line) ?? [];
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
      chain = {
        type: known?.type ?? "filter",
        hook: known?.hook ?? "",
        priority: known?.priority ?? 0,
        rules: [...(known?.rules ?? [])],
      };
      table.set(chainName, chain);
    } else if (hook !== undefined) Object.assign(chain, { type, hook, priority: Number(priority) });
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
      ...[...table].map(([chain, { type, hook, priority }]) => ({
        chain: { ...ours, name: chain, handle: 1, type, hook, prio: priority, policy: "accept" },
      })),
      ...[...table].flatMap(([chain, { rules }]) =>
        rules.map((rule) => ({ rule: { ...ours, chain, handle: 1, expr: toExpressions(rule) } })),
      ),
    ],
  };
}

const PHRASE =
  /(?<network>ip6? [sd]addr \S+\/\d+)|(?<clamp>tcp option \w+ \w+ set rt \w+)|(?<flag>tcp flags \w+)|(?<nfproto>meta nfproto \w+)|(?<fib>fib daddr type \w+)|(?<meta>[io]ifname) (?<not>!= )?(?<names>\{[^}]*\}|\S+)|(?<verdict>drop|accept|masquerade)$|@(?<base>\w+),(?<offset>\d+),(?<len>\d+) (?<bits>\{[^}]*\}|\S+)|(?<protocol>\w+) (?<field>\w+) (?<set>set )?(?<value>\S+)/g;

function toExpressions(rule: string): object[] {
  return [...rule.matchAll(PHRASE)].map(({ groups = {} }) => {
    const { fib, meta, names = "", verdict, base, bits = "", protocol, field, set, value = "" } = groups;
    const op = groups.not === undefined ? "==" : "!=";
    const special = toSpecial(groups);
    if (special !== null) return special;
    if (verdict !== undefined) return { [verdict]: null };
    if (meta !== undefined) {
      const right = [...names.matchAll(/[^\s",{}]+/g)].map(([name]) => name).reverse();
      return match(op, { meta: { key: meta } }, names.startsWith("{") ? { set: right } : right[0]);
    }
    if (fib !== undefined) return match(op, { fib: { result: "type", flags: ["daddr"] } }, fib.split(" ")[3]);
    if (base !== undefined) {
      const payload = { base, offset: Number(groups.offset), len: Number(groups.len) };
      const numbers = [...bits.matchAll(/\w+/g)].map(([text]) => Number(text));
      return match(op, { payload }, bits.startsWith("{") ? { set: numbers } : numbers[0]);
    }
    const key = { payload: { protocol, field } };
    const literal = /^\d+$/.test(value) ? Number(value) : value;
    return set === undefined ? match(op, key, literal) : { mangle: { key, value: literal } };
  });
}

/** What has words of its own in nft's JSON; null: it is none of that. */
function toSpecial({ network, clamp, flag, nfproto }: Record<string, string | undefined>): object | null {
  if (network !== undefined) {
    const [protocol, field, text = ""] = network.split(" ");
    const [addr, len] = text.split("/");
    return match("==", { payload: { protocol, field } }, { prefix: { addr, len: Number(len) } });
  }
  if (clamp !== undefined) {
    const [, , name, field, , , key] = clamp.split(" ");
    return { mangle: { key: { "tcp option": { name, field } }, value: { rt: { key } } } };
  }
  if (flag !== undefined) return match("in", { payload: { protocol: "tcp", field: "flags" } }, flag.split(" ")[2]);
  return nfproto === undefined ? null : match("==", { meta: { key: "nfproto" } }, nfproto.split(" ")[2]);
}

const match = (op: string, left: object, right: unknown) => ({ match: { op, left, right } });
