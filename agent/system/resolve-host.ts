// Names to addresses, as the system resolves them (getaddrinfo: hosts file, DNS, whatever nsswitch says).
import { lookup } from "node:dns/promises";

export interface HostAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** Never rejects: a name that isn't known, or that nobody could be asked about, has no addresses. An address stands for itself. */
export type ResolveHost = (host: string) => Promise<HostAddresses>;

export const resolveHost: ResolveHost = async (host) => {
  const found = await lookup(host, { all: true }).catch(() => []);
  const ofFamily = (wanted: number) => found.filter(({ family }) => family === wanted).map(({ address }) => address);
  return { ipv4: ofFamily(4), ipv6: ofFamily(6) };
};
