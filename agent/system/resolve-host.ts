// Names to addresses: what the system says (getaddrinfo: hosts file, nsswitch) and what DNS says, whichever knows the name first.
//
// getaddrinfo occupies one of the four threads that files are read by too, for many seconds where DNS servers are silent: so it is asked for
// one name at a time, and nobody waits for it longer than for DNS.
import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";

export interface HostAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** Never rejects: a name that isn't known, or that nobody could be asked about, has no addresses. An address stands for itself. */
export type ResolveHost = (host: string) => Promise<HostAddresses>;

const NONE: HostAddresses = { ipv4: [], ipv6: [] };
const WITHIN_MS = 3_000;
const resolver = new Resolver({ timeout: 1_000, tries: 2 });
let lastLookup: Promise<unknown> = Promise.resolve();

export const resolveHost: ResolveHost = async (host) => {
  if (isIP(host) === 4) return { ipv4: [host], ipv6: [] };
  if (isIP(host) === 6) return { ipv4: [], ipv6: [host] };
  const known = async (asked: Promise<HostAddresses>) => {
    const found = await asked;
    if (found.ipv4.length + found.ipv6.length === 0) throw new Error("no addresses");
    return found;
  };
  const deadline = createDeadline();
  try {
    return await Promise.race([Promise.any([known(askSystem(host)), known(askDns(host))]), deadline.passed]);
  } catch {
    return NONE;
  } finally {
    deadline.cancel();
  }
};

function askSystem(host: string): Promise<HostAddresses> {
  const found = lastLookup.then(() => lookup(host, { all: true }).catch(() => []));
  lastLookup = found;
  return found.then((addresses) => {
    const ofFamily = (wanted: number) =>
      addresses.filter(({ family }) => family === wanted).map(({ address }) => address);
    return { ipv4: ofFamily(4), ipv6: ofFamily(6) };
  });
}

async function askDns(host: string): Promise<HostAddresses> {
  const [ipv4, ipv6] = await Promise.all([
    resolver.resolve4(host).catch(() => []),
    resolver.resolve6(host).catch(() => []),
  ]);
  return { ipv4, ipv6 };
}

function createDeadline(): { readonly passed: Promise<HostAddresses>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<HostAddresses>((resolve) => {
    timer = setTimeout(() => resolve(NONE), WITHIN_MS);
    timer.unref();
  });
  return { passed, cancel: () => clearTimeout(timer) };
}
