import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type DeployInput, deploy } from "./deploy.ts";
import { describeSettings, findSettingProblem, planSecrets, toAccountConfig, toVariables } from "./settings.ts";
import { createWrangler } from "./wrangler.ts";

const CONFIG = readFileSync(path.join(import.meta.dirname, "../../wrangler.toml"), "utf8");
const TOKEN = "bkt_made-for-this-test";

interface Account {
  readonly databases?: readonly { uuid: string; name: string }[];
  readonly secrets?: readonly string[];
  readonly isSignedIn?: boolean;
  readonly failing?: string;
}

/** A program that answers as wrangler does (4.155.0), and notes each call: its arguments, and the secrets that a file brought. */
function createAccount(account: Account = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "becket-wrangler-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [program, state, calls] = ["wrangler", "state.json", "calls.ndjson"].map((name) => path.join(folder, name));
  if (program === undefined || state === undefined || calls === undefined) throw new Error("three paths");
  writeFileSync(state, JSON.stringify({ databases: [], secrets: null, isSignedIn: true, ...account }));
  writeFileSync(calls, "");
  writeFileSync(
    program,
    `#!${process.execPath}
const fs = require("node:fs");
const argv = process.argv.slice(2), words = argv.join(" ");
const state = JSON.parse(fs.readFileSync(${JSON.stringify(state)}, "utf8"));
const keep = () => fs.writeFileSync(${JSON.stringify(state)}, JSON.stringify(state));
const option = (name) => argv[argv.indexOf(name) + 1];
const call = { argv };
const fail = (text) => { console.error(text); process.exitCode = 1; };
if (state.failing && words.startsWith(state.failing)) fail("refused by the account");
else if (words.startsWith("whoami")) { if (!state.isSignedIn) fail("not authenticated"); }
else if (words.startsWith("d1 list")) console.log(JSON.stringify(state.databases));
else if (words.startsWith("d1 create")) { state.databases.push({ uuid: "11111111-2222-3333-4444-555555555555", name: argv[2] }); keep(); }
else if (words.startsWith("secret list")) {
  if (state.secrets === null) fail('Worker "becket" not found.\\n\\nIf this is a new Worker, deploy it first.');
  else console.log(JSON.stringify(state.secrets.map((name) => ({ name, type: "secret_text" }))));
} else if (words.startsWith("deploy")) {
  call.secrets = JSON.parse(fs.readFileSync(option("--secrets-file"), "utf8"));
  call.mode = (fs.statSync(option("--secrets-file")).mode & 0o777).toString(8);
  call.secretsFile = option("--secrets-file");
  call.config = fs.readFileSync(option("--config"), "utf8");
  const targets = argv.includes("--domain") ? [option("--domain") + " (custom domain)"] : ["https://becket.example.workers.dev"];
  fs.writeFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, ['{"type":"wrangler-session"}', JSON.stringify({ type: "deploy", targets })].join("\\n"));
}
fs.appendFileSync(${JSON.stringify(calls)}, JSON.stringify(call) + "\\n");
`,
  );
  chmodSync(program, 0o755);
  const readCalls = () =>
    readFileSync(calls, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { argv: string[]; [more: string]: unknown });
  const run = (input: Partial<DeployInput> = {}) =>
    deploy({
      wrangler: createWrangler(program, folder),
      env: {},
      databaseName: "becket",
      domain: null,
      readConfig: () => CONFIG,
      writeConfig(toml) {
        const file = path.join(folder, "wrangler.account.toml");
        writeFileSync(file, toml);
        return file;
      },
      makeToken: () => TOKEN,
      askSecret: async () => null,
      say: () => {},
      showToken: () => {},
      ...input,
    });
  return { run, readCalls };
}

const toCommands = (calls: readonly { argv: string[] }[]) => calls.map(({ argv }) => argv.slice(0, 2).join(" "));

it("makes the database, migrates it before the Worker comes, and makes the owner's token, the first time", async () => {
  const account = createAccount();
  const shown: string[] = [];
  expect(await account.run({ showToken: (token) => shown.push(token) })).toEqual([
    "https://becket.example.workers.dev",
  ]);
  expect(shown).toEqual([TOKEN]);
  const calls = account.readCalls();
  expect(toCommands(calls)).toEqual([
    "whoami --json",
    "d1 list",
    "d1 create",
    "d1 list",
    "secret list",
    "d1 migrations",
    "deploy --config",
  ]);
  const uploaded = calls.at(-1);
  expect(uploaded?.config).toContain('database_id = "11111111-2222-3333-4444-555555555555"');
  expect(uploaded).toMatchObject({ secrets: { BECKET_OWNER_TOKEN: TOKEN }, mode: "600" });
  expect(existsSync(String(uploaded?.secretsFile))).toBe(false);
  expect(JSON.stringify(calls.map(({ argv }) => argv))).not.toContain(TOKEN);
});

it("keeps database, secrets and settings of what runs, and shows no token, the second time", async () => {
  const account = createAccount({ databases: [{ uuid: "kept", name: "becket" }], secrets: ["BECKET_OWNER_TOKEN"] });
  const showToken = () => expect.unreachable();
  expect(await account.run({ domain: "becket.example.org", showToken })).toEqual(["https://becket.example.org"]);
  const calls = account.readCalls();
  expect(toCommands(calls)).not.toContain("d1 create");
  expect(calls.at(-1)).toMatchObject({ secrets: {} });
  expect(calls.at(-1)?.argv).toContain("--keep-vars");
});

it("uploads nothing when a migration fails, and says what wrangler said when it is not shown", async () => {
  const failing = createAccount({ failing: "d1 migrations" });
  await expect(failing.run()).rejects.toThrow("wrangler d1 migrations apply failed");
  expect(toCommands(failing.readCalls())).not.toContain("deploy --config");
  await expect(createAccount({ failing: "d1 list" }).run()).rejects.toThrow("refused by the account");
});

it("has shown the token that it made when the upload fails", async () => {
  const shown: string[] = [];
  const run = createAccount({ failing: "deploy" }).run({ showToken: (token) => shown.push(token) });
  await expect(run).rejects.toThrow("wrangler deploy");
  expect(shown).toEqual([TOKEN]);
});

it("takes no other failure for an account without the Worker", async () => {
  await expect(createAccount({ failing: "secret list" }).run()).rejects.toThrow("refused by the account");
});

it("says how to sign in", async () => {
  await expect(createAccount({ isSignedIn: false }).run()).rejects.toThrow("npx wrangler login");
});

it("asks for the provider's secret once, and takes the client for a public one without it", async () => {
  const env = { BECKET_OIDC_ISSUER: "https://id.example.org", BECKET_OIDC_CLIENT_ID: "becket" };
  const account = createAccount({ secrets: ["BECKET_OWNER_TOKEN"] });
  await account.run({ env, askSecret: async () => "of the provider" });
  expect(account.readCalls().at(-1)).toMatchObject({ secrets: { BECKET_OIDC_CLIENT_SECRET: "of the provider" } });
  expect(account.readCalls().at(-1)?.argv).toEqual(
    expect.arrayContaining(["--var", "BECKET_OIDC_ISSUER:https://id.example.org"]),
  );
  const said: string[] = [];
  await createAccount().run({ env, say: (line) => said.push(line) });
  expect(said.join("\n")).toContain("public");
  expect(planSecrets(env, ["BECKET_OWNER_TOKEN", "BECKET_OIDC_CLIENT_SECRET"], () => TOKEN).missing).toEqual([]);
});

it("passes no secret as a variable", () => {
  const env = { BECKET_OWNER_TOKEN: "secret one", BECKET_OIDC_CLIENT_SECRET: "secret two", BECKET_LOG_LEVEL: "debug" };
  expect(toVariables(env)).toEqual(["BECKET_LOG_LEVEL:debug"]);
});

it("refuses a configuration that has no place for the database", () => {
  expect(() => toAccountConfig('name = "becket"', "id")).toThrow("database_id");
});

it.each([
  [{ BECKET_ORIGIN: "becket.example.org" }, /^BECKET_ORIGIN: becket.example.org is no origin/],
  [{ BECKET_STUN_SERVERS: "stun.example.org" }, /^BECKET_STUN_SERVERS: /],
  [{ BECKET_LOG_LEVEL: "loud" }, /^BECKET_LOG_LEVEL: loud is none of debug, info, warn, error$/],
  [{ BECKET_OWNER_TOKEN: "hunter2" }, /^BECKET_OWNER_TOKEN needs at least 16 characters$/],
  [{ BECKET_OIDC_ISSUER: "https://id.example.org" }, /needs BECKET_OIDC_CLIENT_ID$/],
  [{ BECKET_OIDC_ISSUER: "http://id.example.org", BECKET_OIDC_CLIENT_ID: "becket" }, /^BECKET_OIDC_ISSUER: /],
])("a setting that the Worker would not take is refused before anything is built: %o", (env, problem) => {
  const found = findSettingProblem(env);
  expect(found).toMatch(problem);
  expect(found).not.toContain("hunter2");
});

it("settings that are left out or change one thing of a provider are good; those that go along are named, secrets without their value", () => {
  expect(findSettingProblem({})).toBeNull();
  expect(findSettingProblem({}, "becket.example.org")).toBeNull();
  for (const domain of ["not a domain", "https://a.example", "localhost", "", "a..example"])
    expect(findSettingProblem({}, domain)).toMatch(/^--domain: .* is no host name/);
  expect(findSettingProblem({ BECKET_OIDC_ALLOWED_DOMAINS: "example.org", BECKET_ORIGIN: "" })).toBeNull();
  expect(describeSettings({})).toBe("none: what the Worker has stays");
  expect(describeSettings({ BECKET_STUN_SERVERS: "none", BECKET_OWNER_TOKEN: TOKEN })).toBe(
    "BECKET_STUN_SERVERS, BECKET_OWNER_TOKEN (secret)",
  );
});
