// Which connection pool a URL uses: a direct one, or one that goes through the proxy that the environment names. A proxy is asked for a
// tunnel (CONNECT, RFC 9110 section 9.3.6), also for plain http: WebSockets need one.
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import tls from "node:tls";
import { readAuthorities } from "./authorities.ts";

export interface ProxyAgents {
  forUrl(url: URL): http.Agent;
  /** Ends the connections that there are; new ones may follow. */
  dropConnections(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

type Trust = Pick<tls.ConnectionOptions, "secureContext">;

export function createProxyAgents(env: Environment): ProxyAgents {
  /** By protocol, and proxy where there is one. */
  const agents = new Map<string, http.Agent>();
  let trust: Trust | null = null;
  /** Read when TLS is first spoken: a file that is wrong fails what needs it, and is said there. */
  const readTrust = (): Trust => {
    const secureContext = trust === null ? readAuthorities(env.BECKET_CA_FILE) : null;
    trust ??= secureContext === null ? {} : { secureContext };
    return trust;
  };
  function createAgent(protocol: Protocol, proxy: URL | null): http.Agent {
    if (proxy !== null) return createTunnelAgent(proxy, protocol, readTrust);
    return protocol === "https:"
      ? new https.Agent({ keepAlive: true, ...readTrust() })
      : new http.Agent({ keepAlive: true });
  }
  return {
    forUrl(url) {
      const protocol = url.protocol === "https:" ? "https:" : "http:";
      const proxy = toProxyUrl(url, env);
      const key = `${protocol}${proxy?.href ?? ""}`;
      const agent = agents.get(key) ?? createAgent(protocol, proxy);
      agents.set(key, agent);
      return agent;
    },
    dropConnections() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** The proxy for this URL, or null when it is to be reached directly. */
export function toProxyUrl(url: URL, env: Environment): URL | null {
  const read = (name: string) => env[name] || env[name.toUpperCase()];
  const proxy = url.protocol === "https:" ? read("https_proxy") : read("http_proxy");
  if (proxy === undefined || proxy === "") return null;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const isExcepted = (read("no_proxy") ?? "")
    .split(/[\s,]+/)
    .map((entry) => entry.toLowerCase().replace(/^\*?\./, ""))
    .some((entry) => entry === "*" || (entry !== "" && (host === entry || host.endsWith(`.${entry}`))));
  return isExcepted ? null : new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
}

type Protocol = "http:" | "https:";
type OnSocket = (error: Error | null, socket?: Socket) => void;

function createTunnelAgent(proxy: URL, protocol: Protocol, readTrust: () => Trust): http.Agent {
  const trust = protocol === "https:" || proxy.protocol === "https:" ? readTrust() : {};
  const agent = protocol === "https:" ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  // Agents take a socket through the callback when createConnection returns none (nodejs.org/api/http.html#agentcreateconnectionoptions-callback).
  Object.assign(agent, {
    createConnection(options: { host: string; port: number; servername?: string }, done: OnSocket) {
      openTunnel({ proxy, trust, authority: `${options.host}:${options.port}` }, (error, socket) => {
        if (error !== null || socket === undefined) done(error ?? new Error("no tunnel"));
        else if (protocol === "http:") done(null, socket);
        else {
          // An address has no server name (RFC 6066 section 3): the certificate is compared with the host then.
          const { host, servername = host } = options;
          done(null, tls.connect({ ...trust, socket, host, servername }));
        }
      });
    },
  });
  return agent;
}

interface Tunnel {
  readonly proxy: URL;
  readonly trust: Trust;
  readonly authority: string;
}

function openTunnel({ proxy, trust, authority }: Tunnel, done: OnSocket): void {
  const user = decodeURIComponent(proxy.username);
  const credentials = Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`).toString("base64");
  const request = (proxy.protocol === "https:" ? https : http).request({
    ...trust,
    host: proxy.hostname,
    port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...(user === "" ? {} : { "proxy-authorization": `Basic ${credentials}` }) },
  });
  request.on("error", (error) => done(new Error(`the proxy ${proxy.host} failed: ${error.message}`, { cause: error })));
  request.on("connect", (reply, socket) => {
    if (reply.statusCode === 200) return done(null, socket);
    socket.destroy();
    done(new Error(`the proxy ${proxy.host} answered ${reply.statusCode}`));
  });
  request.end();
}
