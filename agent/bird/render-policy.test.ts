import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluatePolicy, type PolicyRoute } from "#schema/evaluate-policy";
import { PolicyRules } from "#schema/policy";
import { isIpv6Prefix } from "#schema/prefix";
import { askSocket } from "../system/unix-socket.ts";
import { eventually } from "../testing/eventually.ts";
import { anyPolicy, anyRoutes } from "../testing/policy-fixture.ts";
import { isWholeReply, parseReply } from "./parse-reply.ts";
import { parseRoutes } from "./parse-routes.ts";
import { renderPolicy, renderPolicyBound } from "./render-policy.ts";

const hasBird = spawnSync("bird", ["--version"]).status === 0;
const FAMILIES = ["ipv4", "ipv6"] as const;

const policy = (rules: object[], others: object = {}) =>
  PolicyRules.parse({ rules, defaultAction: "reject", defaultLocalPreference: null, ...others });
const render = (rules: object[], others: object = {}) =>
  renderPolicy({ name: "f", family: "ipv4", policy: policy(rules, others), prepended: "bgp_path.first" });

const EVERYTHING = policy(
  [
    { match: { prefixes: ["10.5.0.0/16", "fd05::/32"] }, action: "reject" },
    {
      match: { prefixes: ["10.0.0.0/8", "192.168.0.0/16"], minLength: 16, maxLength: 24 },
      action: "accept",
      setMed: 10,
    },
    { match: { prefixes: ["fd00::/8"], maxLength: 48 }, action: "accept" },
    { match: { communities: ["65000:1", "65000:2", "4200000001:1:2"] }, action: "accept", setLocalPreference: 200 },
    {
      match: { prefixes: ["172.16.0.0/12"], communities: ["4200000001:1:3"], asPath: "* 4200000001 ? 64512..65534" },
      ...{ action: "accept", setCommunities: ["65000:7"], addCommunities: ["1:2:3"], removeCommunities: ["65000:1"] },
      prependCount: 2,
    },
    { match: { asPath: "" }, action: "reject" },
  ],
  { defaultAction: "accept", defaultLocalPreference: 90 },
);

describe("a policy", () => {
  it("is what the golden file says", () => {
    const file = path.join(import.meta.dirname, "testdata/policy/expected.conf");
    const of = { policy: EVERYTHING, prepended: "bgp_path.first" };
    const text = FAMILIES.flatMap((family) => [
      renderPolicy({ ...of, family, name: `mesh_import_${family}` }),
      renderPolicyBound({ ...of, family, name: `mesh_import_bound_${family}` }),
    ]).join("\n\n");
    if (process.env.UPDATE_GOLDEN === "1") {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, `${text}\n`);
    }
    expect(`${text}\n`).toBe(readFileSync(file, "utf8"));
  });

  it("says nothing behind a rule that matches everything, nor of the other family", () => {
    const rules = [{ match: { prefixes: ["fd00::/8"] }, action: "reject" }, { action: "accept" }, { action: "reject" }];
    expect(render(rules)).toBe("function f() {\n  return true;\n}");
  });

  it("is its default without rules", () => {
    expect(render([])).toBe("function f() {\n  return false;\n}");
    const accepting = { defaultAction: "accept", defaultLocalPreference: 0 };
    expect(render([], accepting)).toBe("function f() {\n  bgp_local_pref = 0;\n  return true;\n}");
  });
});

/** Its batch is one BIRD: in each table the routes of one case, and behind a pipe with its policy what became of them. */
describe.skipIf(!hasBird)("real BIRD", { timeout: 60_000 }, () => {
  const seed = Number(process.env.POLICY_SEED ?? Math.trunc(Math.random() * 2 ** 31));
  const cases = fc.sample(fc.tuple(anyPolicy, anyRoutes), { seed, numRuns: 60 });

  it(`makes of every route what the evaluator says (POLICY_SEED=${seed})`, async () => {
    const parts = cases.flatMap(([tried, routes], index) =>
      FAMILIES.map((family) => {
        const name = `case${index}_${family}`;
        const text = renderPolicy({ name, family, policy: tried, prepended: "bgp_path.first" });
        return { name, text: `${text}\n\n${renderPipe(name, family, ofFamily(routes, family))}` };
      }),
    );
    await withBird(parts.map(({ text }) => text).join("\n\n"), async (readTable) => {
      for (const [index, [tried, routes]] of cases.entries()) {
        for (const family of FAMILIES) {
          const expected = ofFamily(routes, family).flatMap((route) => describeExpected(tried, route));
          const readAll = () => readTable(`case${index}_${family}_out`);
          await eventually(async () => expect(await readAll(), JSON.stringify(tried)).toEqual(expected.sort()));
        }
      }
    });
  });

  it(`accepts by prefix alone whatever the policy may accept (POLICY_SEED=${seed})`, async () => {
    const parts = cases.flatMap(([tried, routes], index) =>
      FAMILIES.map((family) => {
        const name = `case${index}_${family}`;
        return `${renderPolicyBound({ name, family, policy: tried })}\n\n${renderPipe(name, family, ofFamily(routes, family))}`;
      }),
    );
    await withBird(parts.join("\n\n"), async (readTable) => {
      for (const [index, [tried, routes]] of cases.entries()) {
        for (const family of FAMILIES) {
          const accepted = ofFamily(routes, family).filter((route) => evaluatePolicy(tried, route).action === "accept");
          const there = () =>
            readTable(`case${index}_${family}_out`).then((all) => all.map((text) => text.split(" ")[0]));
          const wanted = accepted.map(({ prefix }) => prefix);
          await eventually(async () =>
            expect(await there(), JSON.stringify(tried)).toEqual(expect.arrayContaining(wanted)),
          );
        }
      }
    });
  });
});

const ofFamily = (routes: readonly PolicyRoute[], family: (typeof FAMILIES)[number]) =>
  routes.filter(({ prefix }) => isIpv6Prefix(prefix) === (family === "ipv6"));

function renderPipe(name: string, family: string, routes: readonly PolicyRoute[]): string {
  const given = routes.map(({ prefix, asPath, communities, localPreference, med }) => {
    const statements = [
      ...asPath.toReversed().map((asn) => `bgp_path.prepend(${asn});`),
      ...communities.map(
        (one) => `bgp_${one.split(":").length === 3 ? "large_" : ""}community.add((${one.replaceAll(":", ",")}));`,
      ),
      ...(localPreference === null ? [] : [`bgp_local_pref = ${localPreference};`]),
      ...(med === null ? [] : [`bgp_med = ${med};`]),
    ];
    return `  route ${prefix} blackhole { ${statements.join(" ")} };`;
  });
  return [
    `${family} table ${name}_in;`,
    `${family} table ${name}_out;`,
    `protocol static ${name}_static {\n  ${family} { table ${name}_in; };\n${given.join("\n")}\n}`,
    `protocol pipe ${name}_pipe { table ${name}_in; peer table ${name}_out; import none; ` +
      `export filter { if !${name}() then reject; accept; }; }`,
  ].join("\n");
}

function describeExpected(tried: PolicyRules, given: PolicyRoute): string[] {
  const { action, route, prependCount } = evaluatePolicy(tried, given);
  if (action === "reject") return [];
  const { prefix, asPath, localPreference, med, communities } = route;
  const [first] = asPath;
  // Nothing is before an empty path; BIRD says 0 of it.
  const prepended = Array.from({ length: prependCount }, () => first ?? 0);
  return [describeRoute(prefix, { asPath: [...prepended, ...asPath].map(String), localPreference, med, communities })];
}

const describeRoute = (
  prefix: string,
  bgp: Omit<PolicyRoute, "prefix" | "asPath"> & { asPath: readonly string[] },
): string =>
  `${prefix} path ${bgp.asPath.join(" ")} preference ${bgp.localPreference} med ${bgp.med} communities ${[...bgp.communities].sort().join(" ")}`;

type ReadTable = (table: string) => Promise<string[]>;

async function withBird(config: string, use: (readTable: ReadTable) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "becket-policy-"));
  const [conf, socket] = [path.join(folder, "conf"), path.join(folder, "ctl")];
  const formats = ["base", "log", "protocol", "route"].map((what) => `timeformat ${what} "%s.%3f";`).join("\n");
  await writeFile(conf, `router id 10.0.0.1;\n${formats}\nprotocol device {}\n${config}\n`);
  const checked = spawnSync("bird", ["-p", "-c", conf], { encoding: "utf8" });
  expect(checked.stderr).toBe("");
  const bird = spawn("bird", ["-f", "-c", conf, "-s", socket, "-P", path.join(folder, "pid")], { stdio: "ignore" });
  const ended = new Promise((resolve) => bird.once("exit", resolve));
  try {
    await use(async (table) => {
      const answer = await askSocket(socket, {
        text: `show route table ${table} all\n`,
        end: isWholeReply,
        timeoutMs: 5_000,
      });
      const routes = parseRoutes(parseReply(answer ?? ""), { areFiltered: false });
      const nothing = { nextHop: null, asPath: [], localPreference: null, med: null, communities: [] };
      return routes.map(({ prefix, bgp }) => describeRoute(prefix, bgp ?? nothing)).sort();
    });
  } finally {
    bird.kill();
    await ended;
    await rm(folder, { recursive: true });
  }
}
