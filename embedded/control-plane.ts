// The Worker of wrangler.toml run by Miniflare on this machine, with its state in one folder. Nothing here needs a network.
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type MiniflareOptions } from "miniflare";
import type { RestoredNote } from "#schema/local/backup";
import { type OidcVariables, parseOidcSettings } from "#schema/oidc-settings";
import { parsePublicOrigin } from "#schema/public-origin";
import { parseStunServers } from "#schema/stun-servers";
import type { MigratedDatabase } from "./apply-migrations.ts";
import { serveCopies } from "./backup/copy-server.ts";
import { readRestoredNote, writeRestoredNote } from "./backup/restored-note.ts";
import { settleRestored } from "./backup/settle-restored.ts";
import { parseTrustedProxies, type TrustedProxies } from "./front/client-address.ts";
import { createFront } from "./front/front.ts";
import { resolveListenAddress, toStartError, toUrls } from "./listen-address.ts";
import { isStateMigrated, migrateState } from "./migrate-state.ts";
import { type OwnerToken, readOwnerToken } from "./owner-token.ts";
import { replaceFile } from "./replace-file.ts";
import { StartError } from "./start-error.ts";
import { openStateFolder, type StateFolder, toStateError } from "./state-folder.ts";
import { readWorkerBundle, type WorkerBundle } from "./worker-bundle.ts";

export interface ControlPlaneOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly stateDir: string;
  /** Kept in the state folder when left out, and made there at the first start. */
  readonly ownerToken?: string | undefined;
  /** The public origin behind a proxy: https://becket.example.org */
  readonly origin?: string | undefined;
  /** `host:port`, comma separated; `none`: no server; left out: public ones. */
  readonly stunServers?: string | undefined;
  /** People's OpenID provider, and whom of it to let in. */
  readonly oidc?: OidcVariables;
  /** Addresses and prefixes, comma separated, of proxies that are believed when they say whom a request comes from. */
  readonly trustedProxies?: string | undefined;
  readonly logLevel?: string | undefined;
  /** Takes the Worker's log lines. */
  readonly log: (line: string) => void;
}

export interface ControlPlane {
  /** Where it answers on this machine. */
  readonly url: string;
  /** That one first; when it listens on all addresses, also those that machines elsewhere may call. */
  readonly urls: readonly string[];
  readonly ownerToken: string;
  readonly isOwnerTokenNew: boolean;
  readonly ownerTokenFile: string;
  stop(): Promise<void>;
}

/** Throws a StartError for what the caller can mend. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  assertOrigin(options.origin);
  assertStunServers(options.stunServers);
  assertOidc(options.oidc ?? {});
  const trustedProxies = readTrustedProxies(options.trustedProxies);
  // Nobody but the front and the Worker knows this name, so nobody else says whom a request comes from.
  const clientHeader = `x-becket-client-${randomBytes(16).toString("hex")}`;
  const bundle = await readWorkerBundle();
  // What was begun last ends first, when a start fails as when it is stopped: the lock goes when nothing has the state any more.
  await using begun = new AsyncDisposableStack();
  const state = begun.adopt(openStateFolder(options.stateDir), (folder) => folder.release());
  try {
    const restored = readRestoredNote(state.dataFolder);
    const owner = readOwnerToken(state.ownerTokenFile, options.ownerToken);
    const address = await resolveListenAddress(options.host, options.port);
    const parts = { bundle, state, restored, owner, clientHeader };
    const miniflare = begun.adopt(await startMiniflare(options, parts), (runtime) => runtime.dispose());
    // Before it, there is nothing that could be copied at one instant.
    begun.adopt(await serveCopies(state.socketFile, state), (copies) => copies.close());
    const upstreamPort = Number((await miniflare.ready).port);
    const front = begun.adopt(createFront({ upstreamPort, clientHeader, trustedProxies }), (server) => server.close());
    const port = await front.listen(address, options.port).catch((error: NodeJS.ErrnoException) => {
      throw toStartError(error, options.host, options.port);
    });
    const urls = toUrls(options.host, address, port);
    replaceFile(state.urlFile, `${urls[0]}\n`);
    const running = begun.move();
    return {
      url: urls[0],
      urls,
      ownerToken: owner.token,
      isOwnerTokenNew: owner.isNew,
      ownerTokenFile: state.ownerTokenFile,
      stop: () => running.disposeAsync(),
    };
  } catch (error) {
    throw toStateError(state.path, error);
  }
}

/** No look-up of this machine's place on the internet, no telemetry: both wait for a network. */
const QUIET = { cf: false, telemetry: { enabled: false }, log: new Log(LogLevel.ERROR), logRequests: false };

interface Parts {
  readonly bundle: WorkerBundle;
  readonly state: StateFolder;
  readonly restored: RestoredNote | null;
  readonly owner: OwnerToken;
  readonly clientHeader: string;
}

async function startMiniflare(options: ControlPlaneOptions, parts: Parts): Promise<Miniflare> {
  useOwnRuntimeScript();
  // Miniflare makes a folder of its own there and removes it, unless it is killed.
  process.env.TMPDIR = parts.state.temporaryFolder;
  await prepareDatabase(parts);
  const miniflare = new Miniflare(toMiniflareOptions(options, parts));
  try {
    await miniflare.ready;
    return miniflare;
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/**
 * Applies migrations before the port opens, by a runtime of its own that has nothing but the database: whoever gets an answer gets
 * one from a control plane that works.
 */
async function prepareDatabase({ bundle, state, restored }: Parts): Promise<void> {
  const isMigrated = isStateMigrated(state.dataFolder, bundle.migrationsFolder);
  const unsettled = restored?.isSettled === false ? restored : null;
  if (isMigrated && unsettled === null) return;
  const { name, compatibilityDate, d1Databases } = bundle.options;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...({ name, compatibilityDate, d1Databases } as Record<string, unknown>),
      ...QUIET,
      modules: [{ type: "ESModule", path: "empty.js", contents: "export default {};" }],
      host: "127.0.0.1",
      port: 0,
      resourcePersistencePath: state.dataFolder,
    }),
  );
  try {
    const database = (await miniflare.getD1Database("DB")) as unknown as MigratedDatabase;
    await migrateState(database, state.dataFolder, bundle.migrationsFolder);
    if (unsettled === null) return;
    await settleRestored(database, unsettled);
    writeRestoredNote(state.dataFolder, { ...unsettled, isSettled: true });
  } finally {
    await miniflare.dispose();
  }
}

function toMiniflareOptions(
  options: ControlPlaneOptions,
  { bundle, state, restored, owner, clientHeader }: Parts,
): MiniflareOptions {
  return convertV4MiniflareOptions({
    ...bundle.options,
    rootPath: path.resolve(import.meta.dirname, ".."),
    modules: [{ type: "ESModule", path: "worker.js", contents: bundle.script }],
    // In place of those of wrangler.toml.
    bindings: {
      BECKET_CLIENT_ADDRESS_HEADER: clientHeader,
      BECKET_OWNER_TOKEN: owner.token,
      ...(restored === null ? {} : { BECKET_GENERATION: restored.generation }),
      ...(options.origin === undefined ? {} : { BECKET_ORIGIN: options.origin }),
      ...(options.stunServers === undefined ? {} : { BECKET_STUN_SERVERS: options.stunServers }),
      ...Object.fromEntries(Object.entries(options.oidc ?? {}).filter(([, value]) => value !== undefined)),
      ...(options.logLevel === undefined ? {} : { BECKET_LOG_LEVEL: options.logLevel }),
    },
    // The front is what listens for others.
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: state.dataFolder,
    ...QUIET,
    handleStructuredLogs: ({ message }: { message: string }) => options.log(message),
  });
}

function assertOrigin(text: string | undefined): void {
  const origin = parsePublicOrigin(text);
  if (!origin.ok) throw new StartError("origin_invalid", origin.error);
}

function assertStunServers(text: string | undefined): void {
  const servers = parseStunServers(text);
  if (!servers.ok) throw new StartError("stun_servers_invalid", servers.error);
}

function readTrustedProxies(text: string | undefined): TrustedProxies {
  const proxies = parseTrustedProxies(text);
  if (proxies.ok) return proxies.value;
  throw new StartError("trusted_proxies_invalid", proxies.error);
}

function assertOidc(variables: OidcVariables): void {
  const settings = parseOidcSettings(variables);
  if (!settings.ok) throw new StartError("oidc_invalid", settings.error);
}

/** The runtime of the Miniflare that is used (its own dependency, without types), started by our script. */
function useOwnRuntimeScript(): void {
  const { default: workerd } = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd");
  process.env.BECKET_WORKERD = workerd;
  process.env.MINIFLARE_WORKERD_PATH = path.join(import.meta.dirname, "workerd.sh");
}
