// What programs tell, what docs/monitoring.md describes, and what the dashboard and the alerts ask for are the same metrics.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { AGENT_METRICS } from "#schema/metrics/agent-metrics";
import { CONTROL_PLANE_METRICS } from "#schema/metrics/control-plane-metrics";
import type { MetricDefinition } from "#schema/metrics/metrics-page";

const read = (file: string) => readFileSync(path.resolve(import.meta.dirname, "../../docs", file), "utf8");
const ALL: Readonly<Record<string, MetricDefinition>> = { ...CONTROL_PLANE_METRICS, ...AGENT_METRICS };

const toRow = ([name, { type, labels, help }]: [string, MetricDefinition]): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`;

test("docs/monitoring.md has a row for each metric, and for no other", () => {
  const rows = read("monitoring.md").match(/^\| `[a-z_]+` \| (gauge|counter) .*$/gm);
  expect(rows).toEqual([...Object.entries(CONTROL_PLANE_METRICS), ...Object.entries(AGENT_METRICS)].map(toRow));
});

test("no metric is the control plane's and the agent's", () => {
  expect(Object.keys(CONTROL_PLANE_METRICS).filter((name) => name in AGENT_METRICS)).toEqual([]);
});

test.each([
  ["grafana/becket.json", () => readQueries(JSON.parse(read("grafana/becket.json")))],
  ["prometheus/alerts.yml", () => [...read("prometheus/alerts.yml").matchAll(/expr: (.*)/g)].map((match) => match[1])],
])("%s asks for metrics that there are, by labels that they have", (_, list) => {
  const queries = list().filter((query) => query !== undefined);
  expect(queries.length).toBeGreaterThan(10);
  for (const query of queries) {
    for (const [, name = "", selector = ""] of query.matchAll(/\b((?:becket|process)_[a-z_]+)(?:\{([^}]*)\})?/g)) {
      expect(Object.keys(ALL), query).toContain(name);
      const labels = [...selector.matchAll(/([a-z_]+)\s*(?:=|!)/g)].map((match) => match[1]);
      expect([...(ALL[name]?.labels ?? []), "instance", "job"], query).toEqual(expect.arrayContaining(labels));
    }
  }
});

test("the alerts that docs/monitoring.md lists are those of the file", () => {
  const [listed, there] = [/^\| `(Becket\w+)`/gm, /- alert: (\w+)/g].map((pattern, index) =>
    [...read(index === 0 ? "monitoring.md" : "prometheus/alerts.yml").matchAll(pattern)].map((match) => match[1]),
  );
  expect(listed).toEqual(there);
});

test("the dashboard can be imported anywhere: each panel asks the data source that is chosen", () => {
  const { panels, templating } = JSON.parse(read("grafana/becket.json"));
  expect(templating.list[0]).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
  const asking = panels.filter(({ type }: { type: string }) => type !== "row");
  for (const panel of asking) {
    const targets = panel.targets.map(({ datasource }: { datasource: unknown }) => datasource);
    for (const source of [panel.datasource, ...targets])
      expect(source, panel.title).toEqual({ type: "prometheus", uid: `\${datasource}` });
  }
  expect(new Set(panels.map(({ id }: { id: number }) => id)).size).toBe(panels.length);
});

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

const readQueries = ({ panels, templating }: Dashboard): (string | undefined)[] => [
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...templating.list.map(({ definition }) => definition),
];
