// The embedded control plane as a process inside the lab, on public addresses of both families, with a door for this host.
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { run } from "../lab/system/exec.ts";
import type { LabProcess } from "../lab/system/process.ts";
import { type Api, createApi } from "./api.ts";

const PORT = 8080;
/** Where only port 443 passes, the control plane is there too. */
const REDIRECT = `table inet lab {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 443 redirect to :${PORT}
  }
}
`;
const START_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 60_000;
const repository = path.resolve(import.meta.dirname, "../..");

export interface LabControlPlane {
  /** As machines in the lab with IPv4 call it. */
  readonly url: string;
  /** As this machine calls it; `port` 443 leads there too. */
  urlFor(machine: LabNode, options?: { port?: 443 | 8080 }): string;
  /** Through the door on this host's loopback. */
  readonly api: Api;
  /** Starts it again, after stop or kill: on the same state, unless another is named. */
  start(options?: { stateFolder?: string }): Promise<void>;
  /** Of the state that it runs on, into this file. */
  backUp(file: string): Promise<void>;
  /** From that file, into a new folder. */
  restore(file: string, stateFolder: string): Promise<void>;
  /** Its state, which goes with it. */
  destroy(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** What machines are told to ask; none: no STUN. */
  readonly stunServers?: readonly string[];
  /** More settings (docs/operations.md). */
  readonly env?: Readonly<Record<string, string>>;
  /** More of its command line. */
  readonly args?: readonly string[];
  /** Ends the wait for its first start. */
  readonly signal?: AbortSignal;
}

export async function startControlPlane(
  lab: Lab,
  { stunServers = [], env = {}, args = [], signal }: ControlPlaneOptions = {},
): Promise<LabControlPlane> {
  const ownerToken = `bkt_${randomBytes(32).toString("base64url")}`;
  let folder = path.join(lab.folder, "control-plane");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await lab.control.exec(["nft", "-f", "-"], { input: REDIRECT });
  const door = await lab.forward({ address: lab.control.ipv4, port: PORT });
  const api = createApi(`http://127.0.0.1:${door.port}`, ownerToken);
  let running: LabProcess | null = null;

  const controlPlane: LabControlPlane = {
    url: `http://${lab.control.ipv4}:${PORT}`,
    urlFor: ({ ipv4 }, { port = PORT } = {}) =>
      `http://${ipv4 === null ? `[${lab.control.ipv6}]` : lab.control.ipv4}:${port}`,
    api,
    async start({ stateFolder = folder } = {}) {
      folder = stateFolder;
      const started = await lab.control.spawn(
        [process.execPath, "embedded/main.ts", "--host", "::", "--port", String(PORT), "--state", stateFolder, ...args],
        {
          cwd: repository,
          env: { ...env, BECKET_OWNER_TOKEN: ownerToken, BECKET_STUN_SERVERS: stunServers.join(",") || "none" },
        },
      );
      running = started;
      await eventually(
        async () => {
          if (!started.isRunning()) throw new Error(`the control plane ended, see ${started.logFile}`);
          await api.call("GET", "/meshes");
          return true;
        },
        { withinMs: START_LIMIT_MS, describe: "the control plane answers", ...(signal && { signal }) },
      );
    },
    async stop() {
      await running?.stop();
    },
    async kill() {
      await running?.kill("SIGKILL");
    },
    async backUp(file) {
      await runEmbedded("backup", "--state", folder, "--to", file);
    },
    async restore(file, stateFolder) {
      await runEmbedded("restore", file, "--state", stateFolder);
    },
    async destroy() {
      await running?.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    },
  };
  await controlPlane.start();
  return controlPlane;
}

const runEmbedded = (program: string, ...argv: string[]) =>
  run([process.execPath, path.join(repository, `embedded/${program}.ts`), ...argv], { timeoutMs: COMMAND_LIMIT_MS });
