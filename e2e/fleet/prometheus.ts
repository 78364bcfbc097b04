// A real Prometheus inside a lab's machine, with a door for this host.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";

export interface ScrapeJob {
  readonly name: string;
  /** host:port */
  readonly targets: readonly string[];
  /** An API token. */
  readonly token?: string;
}

export interface Prometheus {
  /** The newest value of each series. */
  query(expression: string): Promise<Series[]>;
}

const Answer = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
type Series = z.infer<typeof Answer>["data"]["result"][number];

const PORT = 9090;
const START_LIMIT_MS = 30_000;

export async function startPrometheus(lab: Lab, machine: LabNode, jobs: readonly ScrapeJob[]): Promise<Prometheus> {
  const folder = machine.files.folder;
  const scrapes = jobs.map(({ name, targets, token }) => {
    if (token !== undefined) writeFileSync(path.join(folder, `${name}.token`), token, { mode: 0o600 });
    return {
      job_name: name,
      static_configs: [{ targets }],
      ...(token === undefined ? {} : { authorization: { credentials_file: path.join(folder, `${name}.token`) } }),
    };
  });
  // JSON is YAML.
  const config = { global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: scrapes };
  const configFile = path.join(folder, "prometheus.yml");
  writeFileSync(configFile, JSON.stringify(config));
  const started = await machine.spawn([
    "prometheus",
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${path.join(folder, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${PORT}`,
  ]);
  const door = await lab.forward({ node: machine.name, address: "127.0.0.1", port: PORT });
  const ask = (what: string) =>
    fetch(`http://127.0.0.1:${door.port}${what}`, { signal: AbortSignal.timeout(5_000) }).then(async (response) => {
      if (!response.ok) throw new Error(`${what} answered ${response.status}: ${await response.text()}`);
      return response;
    });
  await eventually(
    () => {
      if (!started.isRunning()) throw new Error(`Prometheus ended, see ${started.logFile}`);
      return ask("/-/ready");
    },
    { withinMs: START_LIMIT_MS, describe: "Prometheus is ready" },
  );
  return {
    query: async (expression) =>
      Answer.parse(await (await ask(`/api/v1/query?${new URLSearchParams({ query: expression })}`)).json()).data.result,
  };
}
