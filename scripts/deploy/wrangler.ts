// wrangler as a program, which the deployment is made of. Its answers are parsed here.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { createProgram } from "./program.ts";

export interface Wrangler {
  isSignedIn(): Promise<boolean>;
  /** The id of a D1 database by its name; null: there is none. */
  findDatabase(name: string): Promise<string | null>;
  createDatabase(name: string): Promise<void>;
  applyMigrations(config: string): Promise<void>;
  /** Names of the Worker's secrets; none while there is no such Worker. */
  listSecrets(config: string): Promise<string[]>;
  /** Where the Worker answers. */
  deploy(config: string, options: DeployOptions): Promise<string[]>;
  /** Builds the bundle as it would be uploaded, and checks it; what wrangler says of it. */
  dryRun(outFolder: string): Promise<string>;
}

export interface DeployOptions {
  /** `KEY:VALUE` */
  readonly variables: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
  /** A host name of a zone in the account; null: the account's workers.dev. */
  readonly domain: string | null;
}

const Databases = z.array(z.object({ uuid: z.string(), name: z.string() }));
const Secrets = z.array(z.object({ name: z.string() }));
/** wrangler 4.155's words for it, and the API's code. */
const NO_WORKER = /Worker ".*" not found|\[code: 10007\]/;
const Output = z.object({ type: z.string(), targets: z.array(z.string()).optional() });

/** @param program wrangler itself, or what stands for it in tests */
export function createWrangler(program: string, cwd: string): Wrangler {
  const { run, demand } = createProgram(program, cwd);
  return {
    isSignedIn: async () => (await run(["whoami", "--json"])).code === 0,
    async findDatabase(name) {
      const { stdout } = await demand(["d1", "list", "--json"]);
      return Databases.parse(JSON.parse(stdout)).find((one) => one.name === name)?.uuid ?? null;
    },
    async createDatabase(name) {
      await demand(["d1", "create", name, "--update-config=false"]);
    },
    async applyMigrations(config) {
      // CI: wrangler would ask whether to.
      const env = { CI: "true" };
      await demand(["d1", "migrations", "apply", "DB", "--remote", "--config", config], { isShown: true, env });
    },
    async listSecrets(config) {
      const ran = await run(["secret", "list", "--format", "json", "--config", config]);
      if (ran.code === 0) return Secrets.parse(JSON.parse(ran.stdout)).map(({ name }) => name);
      if (NO_WORKER.test(ran.stderr + ran.stdout)) return [];
      throw new Error(`wrangler secret list failed:\n${(ran.stderr || ran.stdout).trim()}`);
    },
    async deploy(config, { variables, secrets, domain }) {
      const folder = mkdtempSync(path.join(tmpdir(), "becket-deploy-"));
      const [secretsFile, outputFile] = [path.join(folder, "secrets.json"), path.join(folder, "output.ndjson")];
      try {
        writeFileSync(secretsFile, JSON.stringify(secrets), { mode: 0o600 });
        const argv = ["deploy", "--config", config, "--keep-vars", "--secrets-file", secretsFile];
        const settings = variables.flatMap((variable) => ["--var", variable]);
        const where = domain === null ? [] : ["--domain", domain];
        const env = { WRANGLER_OUTPUT_FILE_PATH: outputFile };
        await demand([...argv, ...settings, ...where], { isShown: true, env });
        return readTargets(readFileSync(outputFile, "utf8"));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    async dryRun(outFolder) {
      // It needs no network, and would wait for one.
      const env = { CLOUDFLARE_CF_FETCH_ENABLED: "false" };
      return (await demand(["deploy", "--dry-run", "--outdir", outFolder], { env })).stdout;
    },
  };
}

/** A custom domain comes without its scheme, and with what kind it is: `becket.example.org (custom domain)`. */
function readTargets(ndjson: string): string[] {
  const entries = ndjson
    .split("\n")
    .filter(Boolean)
    .map((line) => Output.parse(JSON.parse(line)));
  const targets = entries.findLast(({ type }) => type === "deploy")?.targets ?? [];
  return targets.map((target) => {
    const [address = ""] = target.split(" ");
    return address.startsWith("http") ? address : `https://${address}`;
  });
}
