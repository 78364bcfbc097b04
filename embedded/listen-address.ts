// Where the control plane listens, and the URLs that answer then.
import { type AddressInfo, createServer } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { StartError } from "./start-error.ts";

/**
 * The address that a host means. It is tried first, for a clear answer at once; the port opens for good when all else is ready.
 */
export function resolveListenAddress(host: string, port: number): Promise<string> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(toStartError(error, host, port)));
    server.listen({ host, port, exclusive: true }, () => {
      const { address } = server.address() as AddressInfo;
      server.close(() => resolve(address));
    });
  });
}

/** The first one answers on this machine; for all addresses, the others are what machines elsewhere may call. */
export function toUrls(host: string, address: string, port: number): [string, ...string[]] {
  if (!isWildcard(address)) return [renderUrl(host, port)];
  const isWanted = ({ family }: NetworkInterfaceInfo) => family === "IPv4" || address === "::";
  const external = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((entry) => !entry.internal && !isLinkLocal(entry) && isWanted(entry));
  const firsts = ["IPv4", "IPv6"].flatMap((wanted) => external.find(({ family }) => family === wanted) ?? []);
  return [renderUrl("127.0.0.1", port), ...firsts.map((entry) => renderUrl(entry.address, port))];
}

const isWildcard = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** Needs the name of a link beside it. */
const isLinkLocal = ({ family, address }: NetworkInterfaceInfo): boolean =>
  family === "IPv6" && /^fe[89ab]/i.test(address);

const renderUrlHost = (host: string): string => (host.includes(":") ? `[${host}]` : host);

const renderUrl = (host: string, port: number): string => `http://${renderUrlHost(host)}:${port}`;

export function toStartError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const where = renderUrl(host, port);
  switch (error.code) {
    case "EADDRINUSE":
      return new StartError("port_in_use", `something listens on ${where} already; stop it or choose another --port`);
    case "EACCES":
      return new StartError("address_not_available", `no permission to listen on ${where}; ports below 1024 need root`);
    default:
      return new StartError("address_not_available", `cannot listen on ${where}: ${error.message}`, { cause: error });
  }
}
