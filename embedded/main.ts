// `npm start`: the control plane alone, on this machine.
import { Command, InvalidArgumentError } from "commander";
import { OIDC_VARIABLES } from "#schema/oidc-settings";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { readOrigin } from "./read-origin.ts";
import { isStartError } from "./start-error.ts";
import { tellServiceManager } from "./tell-service-manager.ts";

interface Arguments {
  readonly port: number;
  readonly host: string;
  readonly state: string;
  readonly origin?: string;
  readonly stunServers?: string;
  readonly trustedProxies?: string;
  readonly json?: true;
  readonly exitWithParent?: true;
}

const DEFAULT_PORT = 8787;
const PARENT_CHECK_MS = 500;
const say = (line: string) => void process.stderr.write(`${line}\n`);

const command = new Command("becket-control-plane")
  .description("Runs Becket's control plane on this machine, with its state in one folder.")
  .option("--port <port>", "TCP port; 0: any free one", parsePort, DEFAULT_PORT)
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--state <folder>", "folder that holds everything; made when missing", "./becket-state")
  .option("--origin <url>", "the public origin, when a proxy changes host or scheme")
  .option("--stun-servers <servers>", "host:port of STUN servers for machines, comma separated; none: no server")
  .option(
    "--trusted-proxies <addresses>",
    "proxies whose X-Forwarded-For is believed: addresses or prefixes, comma separated",
  )
  .option("--json", "print one JSON object on stdout when it is ready")
  .option("--exit-with-parent", "end when the process that started this one ends")
  .addHelpText(
    "after",
    "\nBECKET_ORIGIN, BECKET_STUN_SERVERS and BECKET_TRUSTED_PROXIES do what the options do that are called so; an option goes before." +
      "\nThe owner's API token comes from BECKET_OWNER_TOKEN, or is made at the first start and kept in <folder>/owner-token." +
      "\nPeople sign in by a link of `npm run -s login-link`, or at the OpenID provider of BECKET_OIDC_ISSUER (docs/operations.md).",
  )
  .action(run);

await command.parseAsync();

async function run(options: Arguments): Promise<void> {
  const parent = process.ppid;
  try {
    const controlPlane = await startControlPlane({
      host: options.host,
      port: options.port,
      stateDir: options.state,
      ownerToken: process.env.BECKET_OWNER_TOKEN || undefined,
      origin: readOrigin(options.origin, process.env, say),
      stunServers: options.stunServers ?? process.env.BECKET_STUN_SERVERS,
      trustedProxies: options.trustedProxies ?? process.env.BECKET_TRUSTED_PROXIES,
      oidc: Object.fromEntries(Object.values(OIDC_VARIABLES).map((name) => [name, process.env[name]])),
      logLevel: process.env.BECKET_LOG_LEVEL,
      log: say,
    });
    stopOnSignal(controlPlane);
    if (options.exitWithParent) stopWithoutParent(controlPlane, parent);
    announce(controlPlane, options.json === true);
    tellServiceManager(process.env, say);
  } catch (error) {
    if (!isStartError(error)) throw error;
    process.stderr.write(`becket: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function announce(controlPlane: ControlPlane, isJson: boolean): void {
  const { url, urls, ownerToken, isOwnerTokenNew, ownerTokenFile } = controlPlane;
  if (isJson) {
    console.log(JSON.stringify({ ready: true, url, urls, pid: process.pid, ownerToken }));
    return;
  }
  console.log(`Becket's control plane listens on ${urls.join(" and ")}`);
  console.log(`  API reference  ${url}/api/docs`);
  if (isOwnerTokenNew) console.log(`  owner token    ${ownerToken}   (shown once; kept in ${ownerTokenFile})`);
  // The start that made it may have failed before it could be shown.
  else if (!process.env.BECKET_OWNER_TOKEN) console.log(`  owner token    as before, in ${ownerTokenFile}`);
}

function stopOnSignal(controlPlane: ControlPlane): void {
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Miniflare's own listeners (exit-hook.ts) end the process before anything is let go of.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void stop(controlPlane);
    });
  }
}

async function stop(controlPlane: ControlPlane): Promise<void> {
  await controlPlane.stop();
  process.exit(0);
}

/** An orphan gets another parent, so a change of the parent's pid is its end. */
function stopWithoutParent(controlPlane: ControlPlane, parent: number): void {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    void stop(controlPlane);
  }, PARENT_CHECK_MS);
  timer.unref();
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError("must be a port from 0 to 65535");
  return port;
}
