// A control plane on Cloudflare, from nothing or from the version before: the database, its migrations, the secrets, the Worker. Each step may
// be repeated; a deployment that failed in the middle is done again.
import { planSecrets, toAccountConfig, toVariables } from "./settings.ts";
import type { Wrangler } from "./wrangler.ts";

export interface DeployInput {
  readonly wrangler: Wrangler;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly databaseName: string;
  readonly domain: string | null;
  readonly readConfig: () => string;
  /** Writes the account's wrangler.toml, beside the common one; returns its path. */
  readonly writeConfig: (toml: string) => string;
  readonly makeToken: () => string;
  /** Asks the operator for a secret; null: there is nobody to ask, or nothing was said. */
  readonly askSecret: (name: string) => Promise<string | null>;
  readonly say: (line: string) => void;
  /** The owner's token that was made, before it goes anywhere: whatever fails afterwards, somebody has it. */
  readonly showToken: (token: string) => void;
}

/** Where the control plane answers. */
export async function deploy(input: DeployInput): Promise<readonly string[]> {
  const { wrangler, env, databaseName, domain, say } = input;
  say("Looking at the account …");
  if (!(await wrangler.isSignedIn())) {
    throw new Error(
      "wrangler is not signed in to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN to a token that may edit Workers and D1",
    );
  }
  const config = input.writeConfig(toAccountConfig(input.readConfig(), await findOrCreateDatabase(input)));
  const existing = await wrangler.listSecrets(config);
  const plan = planSecrets(env, existing, input.makeToken);
  const asked: Record<string, string> = {};
  for (const name of plan.missing) {
    const secret = await input.askSecret(name);
    if (secret === null) say(`${name} is not set: the OpenID client is taken for a public one.`);
    else asked[name] = secret;
  }
  // Migrations only add: the version that still runs goes on with the new tables.
  say(`Migrations of ${databaseName} …`);
  await wrangler.applyMigrations(config);
  if (plan.newOwnerToken !== null) input.showToken(plan.newOwnerToken);
  say("Uploading the Worker and the dashboard …");
  return await wrangler.deploy(config, {
    variables: toVariables(env),
    secrets: { ...plan.upload, ...asked },
    domain,
  });
}

async function findOrCreateDatabase({ wrangler, databaseName, say }: DeployInput): Promise<string> {
  const found = await wrangler.findDatabase(databaseName);
  if (found !== null) return found;
  say(`Creating the D1 database ${databaseName} …`);
  await wrangler.createDatabase(databaseName);
  const created = await wrangler.findDatabase(databaseName);
  if (created === null) throw new Error(`the D1 database ${databaseName} was created and is not listed: try again`);
  return created;
}
