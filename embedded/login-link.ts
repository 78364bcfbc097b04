// `npm run -s login-link`: prints a link that signs somebody in once. Asks the running control plane for it, as anybody can who has an
// owner's token, so it serves one on Cloudflare as well.
import { existsSync, readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { Problem, Role } from "#schema/api/operation";
import { CreatedLoginLink } from "#schema/api/sign-in";
import { toStatePaths } from "./state-folder.ts";

interface Arguments {
  readonly state: string;
  readonly url?: string;
  readonly name: string;
  readonly role?: string;
  readonly user?: string;
  readonly seconds?: number;
}

const DEFAULT_NAME = "owner";

const command = new Command("becket-login-link")
  .description("Prints a link that signs somebody in to the dashboard, once, within ten minutes.")
  .option(
    "--state <folder>",
    "the control plane's state folder: where it answers, and the owner's token",
    "./becket-state",
  )
  .option("--url <url>", "where the control plane answers, when it is not one of this machine")
  .option("--name <name>", "for whom; a new user when there is none of this name", DEFAULT_NAME)
  .addOption(
    new Option("--role <role>", `a new user's role (default: viewer; ${DEFAULT_NAME}'s: owner)`).choices(Role.options),
  )
  .option("--user <id>", "for this user, also one of the OpenID provider")
  .option("--seconds <seconds>", "how long the link is good for: 60 to 86400", parseSeconds)
  .addHelpText(
    "after",
    "\nBECKET_OWNER_TOKEN, where it is set, is used in place of <folder>/owner-token: an owner's API token will do.",
  )
  .action(run);

await command.parseAsync();

async function run(options: Arguments): Promise<void> {
  try {
    const { url, user, expiresAt } = await requestLink(options);
    process.stderr.write(`For ${user.name} (${user.role}), once, until ${expiresAt}:\n`);
    console.log(url);
  } catch (error) {
    process.stderr.write(`becket: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

async function requestLink({ state, url, name, role, user, seconds }: Arguments): Promise<CreatedLoginLink> {
  const files = toStatePaths(state);
  const token =
    process.env.BECKET_OWNER_TOKEN ||
    readLine(files.ownerTokenFile, "set BECKET_OWNER_TOKEN, or name the --state folder");
  const base =
    url ?? readLine(files.urlFile, "name the --state folder of a control plane that was started, or its --url");
  const whom =
    user === undefined ? { name, role: role ?? (name === DEFAULT_NAME ? "owner" : undefined) } : { userId: user };
  const endpoint = new URL("/api/v1/login-links", base);
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ ...whom, expiresInSeconds: seconds }),
    redirect: "error",
  }).catch((error: Error) => {
    throw new Error(`no control plane answers at ${endpoint.origin}: is it started?`, { cause: error });
  });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return CreatedLoginLink.parse(answer);
  const problem = Problem.safeParse(answer).data;
  throw new Error(
    problem === undefined ? `${endpoint} answered ${response.status}` : (problem.detail ?? problem.title),
  );
}

function readLine(file: string, advice: string): string {
  const text = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (text === "") throw new Error(`${file} is not there: ${advice}`);
  return text;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 60 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("must be a whole number from 60 to 86400");
}
