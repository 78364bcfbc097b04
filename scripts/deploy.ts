// npm run deploy: the control plane onto Cloudflare, the first time or as a new version. See docs/operations.md.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { askSecret } from "./deploy/ask-secret.ts";
import { deploy } from "./deploy/deploy.ts";
import { describeSettings, findSettingProblem } from "./deploy/settings.ts";
import { createWrangler } from "./deploy/wrangler.ts";

const HELP = `Usage: npm run deploy [-- --dry-run] [--domain HOST] [--database NAME]

Puts the control plane onto your Cloudflare account: the D1 database when there is none, its migrations, the secrets, the Worker and the
dashboard. Run it again for a new version. Sign in first: npx wrangler login, or CLOUDFLARE_API_TOKEN.

  --dry-run         build it, check the bundle and the settings; needs no account and changes nothing
  --domain HOST     a host name of a zone of yours; left out, the account's workers.dev
  --database NAME   the D1 database's name; default becket
  --help            this text

Settings are the same variables of the environment as on one box (docs/operations.md): BECKET_ORIGIN, BECKET_OIDC_ISSUER and the like. Those left out stay as
they are. BECKET_OWNER_TOKEN sets the owner's token; else one is made the first time and printed once. A provider is named whole: issuer, client, and who
gets in.`;

const repository = path.resolve(import.meta.dirname, "..");
const say = (line: string) => process.stderr.write(`${line}\n`);

try {
  await main();
} catch (error) {
  say(`becket: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "dry-run": { type: "boolean" },
      domain: { type: "string" },
      database: { type: "string", default: "becket" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(`${HELP}\n`);
  const problem = findSettingProblem(process.env, values.domain ?? null);
  if (problem !== null) throw new Error(problem);
  say("Building the agent and the dashboard …");
  await promisify(execFile)(process.execPath, ["scripts/build.ts", "agent", "public"], { cwd: repository });
  const wrangler = createWrangler(path.join(repository, "node_modules/.bin/wrangler"), repository);
  if (values["dry-run"]) {
    process.stdout.write(await wrangler.dryRun(path.join(repository, "build/worker")));
    say(`Settings that would go along: ${describeSettings(process.env)}`);
    say("The bundle stands. Nothing was uploaded. Without --dry-run: npx wrangler login, then npm run deploy");
    return;
  }
  const urls = await deploy({
    wrangler,
    env: process.env,
    databaseName: values.database,
    domain: values.domain ?? null,
    readConfig: () => readFileSync(path.join(repository, "wrangler.toml"), "utf8"),
    writeConfig(toml) {
      const file = path.join(repository, "wrangler.account.toml");
      writeFileSync(file, toml);
      return file;
    },
    makeToken: () => `bkt_${randomBytes(32).toString("base64url")}`,
    askSecret,
    say,
    showToken(token) {
      say("The owner's API token, shown this once; it holds when the upload is through:\n");
      process.stdout.write(`${token}\n\n`);
    },
  });
  const [url = "https://…"] = urls;
  say(`\nThe control plane answers at ${urls.join(", ") || "the address that wrangler says above"}`);
  say(`\nSign in with a link: BECKET_OWNER_TOKEN=… npm run -s login-link -- --url ${url}`);
}
