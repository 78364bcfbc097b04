// Debian's Caddy or nginx in front of the control plane, on port 443 of its node, with the configuration that docs/examples shows.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Lab } from "../lab/lab.ts";
import { eventually } from "../lab/probes/eventually.ts";
import type { LabCertificate } from "./lab-authority.ts";

export const TLS_PROXIES = ["caddy", "nginx"] as const;

export interface TlsProxy {
  /** As operators do it: connections may end, the port stays open. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

export interface TlsProxyOptions {
  /** In the place of becket.example.org. */
  readonly name: string;
  /** Where the control plane listens on the same node. */
  readonly upstreamPort: number;
  readonly certificate: LabCertificate;
}

const START_LIMIT_MS = 20_000;
const examples = path.resolve(import.meta.dirname, "../../docs/examples");

export async function startTlsProxy(
  kind: (typeof TLS_PROXIES)[number],
  lab: Lab,
  options: TlsProxyOptions,
): Promise<TlsProxy> {
  const { control } = lab;
  const folder = path.join(control.files.folder, kind);
  mkdirSync(folder);
  const { file, start, reload } = PREPARE[kind](folder, options);
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const started = await control.spawn(start, { env });
  const listens = async () => {
    if (!started.isRunning()) throw new Error(`${kind} ended, see ${started.logFile} and ${file}`);
    return (await control.exec(["ss", "-Hltn", "sport = :443"])).stdout !== "";
  };
  await eventually(listens, { withinMs: START_LIMIT_MS, describe: `${kind} listens` });
  return {
    async reload() {
      await control.exec(reload, { env, timeoutMs: START_LIMIT_MS });
    },
    async stop() {
      await started.stop();
    },
  };
}

type Prepare = (
  folder: string,
  options: TlsProxyOptions,
) => { readonly file: string; readonly start: readonly string[]; readonly reload: readonly string[] };

const PREPARE: Readonly<Record<(typeof TLS_PROXIES)[number], Prepare>> = {
  caddy(folder, { name, upstreamPort, certificate: { certificateFile, keyFile } }) {
    const file = path.join(folder, "Caddyfile");
    // Nobody here issues a certificate by itself.
    const text = readExample("Caddyfile", name, upstreamPort).replace(
      /\{\n/,
      `{\n\ttls ${certificateFile} ${keyFile}\n`,
    );
    writeFileSync(file, text);
    return {
      file,
      start: ["caddy", "run", "--config", file, "--adapter", "caddyfile"],
      // --force: as if the configuration were another one.
      reload: ["caddy", "reload", "--config", file, "--adapter", "caddyfile", "--force"],
    };
  },
  nginx(folder, { name, upstreamPort, certificate: { certificateFile, keyFile } }) {
    const site = path.join(folder, "becket.conf");
    const text = readExample("nginx.conf", name, upstreamPort)
      .replace(/ssl_certificate .*;/, `ssl_certificate ${certificateFile};`)
      .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${keyFile};`);
    writeFileSync(site, text);
    const file = path.join(folder, "nginx.conf");
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    writeFileSync(
      file,
      [
        ...["user root;", "daemon off;", `pid ${folder}/nginx.pid;`, "error_log stderr;", "events { }"],
        `http { access_log off; ${temporary.join(" ")} include ${site}; }`,
      ].join("\n"),
    );
    const program = ["nginx", "-e", "stderr", "-c", file];
    return { file, start: program, reload: [...program, "-s", "reload"] };
  },
};

function readExample(file: string, name: string, upstreamPort: number): string {
  const text = readFileSync(path.join(examples, file), "utf8");
  const changed = text.replaceAll("becket.example.org", name).replaceAll("127.0.0.1:8787", `127.0.0.1:${upstreamPort}`);
  if (!changed.includes(name) || !changed.includes(`:${upstreamPort}`))
    throw new Error(`docs/examples/${file} is another one`);
  return changed;
}
