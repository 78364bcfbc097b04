// Which connection pool a URL uses: a direct one, or one that goes through the proxy that the environment names. A proxy is asked for a
// tunnel (CONNECT, RFC 9110 section 9.3.6), also for plain http: WebSockets need one.
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import tls from "node:tls";

export interface ProxyAgents {
  forUrl(url: URL): http.Agent;
  /** Ends the connections that there are; new ones may follow. */
  dropConnections(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function createProxyAgents(env: Environment): ProxyAgents {
  const direct = { "http:": new http.Agent({ keepAlive: true }), "https:": new https.Agent({ keepAlive: true }) };
  const tunnels = new Map<string, http.Agent>();
  return {
    forUrl(url) {
      const protocol = url.protocol === "https:" ? "https:" : "http:";
      const proxy = toProxyUrl(url, env);
      if (proxy === null) return direct[protocol];
      const key = `${protocol}${proxy.href}`;
      const agent = tunnels.get(key) ?? createTunnelAgent(proxy, protocol);
      tunnels.set(key, agent);
      return agent;
    },
    dropConnections() {
      for (const agent of [...Object.values(direct), ...tunnels.values()]) agent.destroy();
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

type OnSocket = (error: Error | null, socket?: Socket) => void;

function createTunnelAgent(proxy: URL, protocol: "http:" | "https:"): http.Agent {
  const agent = protocol === "https:" ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  // Agents take a socket through the callback when createConnection returns none (nodejs.org/api/http.html#agentcreateconnectionoptions-callback).
  Object.assign(agent, {
    createConnection(options: { host: string; port: number; servername?: string }, done: OnSocket) {
      openTunnel(proxy, `${options.host}:${options.port}`, (error, socket) => {
        if (error !== null || socket === undefined) done(error ?? new Error("no tunnel"));
        else if (protocol === "http:") done(null, socket);
        else done(null, tls.connect({ socket, servername: options.servername ?? options.host }));
      });
    },
  });
  return agent;
}

function openTunnel(proxy: URL, authority: string, done: OnSocket): void {
  const user = decodeURIComponent(proxy.username);
  const credentials = Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`).toString("base64");
  const request = (proxy.protocol === "https:" ? https : http).request({
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
