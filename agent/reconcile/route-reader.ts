// The machine's own routes for the plan. Among them are those of our BIRDs, maybe thousands, which ip can't be asked to leave out: reading all took
// most of a round. So they are read when the plan may turn on them, and else now and then.
import { isIpv6Prefix } from "#schema/prefix";
import type { Ip } from "../net/ip.ts";
import type { Clock } from "../system/clock.ts";
import type { DesiredDevice } from "./desired-device.ts";
import type { MachineRoutes, ObservedLink, ObservedState } from "./observed-state.ts";

export interface RouteReader {
  /** @param observing the look at the links, which goes on: routes that are wanted whatever comes of it are read meanwhile */
  read(devices: readonly DesiredDevice[], observing: Promise<Pick<ObservedState, "links">>): Promise<MachineRoutes>;
}

/** Less than from one look to the next when nothing happens, so each of those reads them. */
const MAX_AGE_MS = 20_000;
/** Nothing turns on them. */
const NO_ROUTES: MachineRoutes = { ipv4: [], ipv6: [] };

export function createRouteReader({ ip, clock }: { readonly ip: Ip; readonly clock: Clock }): RouteReader {
  let known: { readonly routes: MachineRoutes; readonly purpose: string; readonly atMs: number } | null = null;

  return {
    async read(devices, observing) {
      const purpose = toPurpose(devices);
      if (devices.every(({ addresses, networks }) => addresses.length + networks.length === 0)) return NO_ROUTES;
      const isNew = known === null || known.purpose !== purpose || clock.now() - known.atMs >= MAX_AGE_MS;
      if (known === null || isNew || isAddressMissing(devices, (await observing).links)) {
        const isNeedingIpv6 = devices.some(({ networks }) => networks.some(({ prefix }) => isIpv6Prefix(prefix)));
        const atMs = clock.now();
        const [ipv4, ipv6] = await Promise.all([ip.readRoutes("ipv4"), isNeedingIpv6 ? ip.readRoutes("ipv6") : []]);
        known = { routes: { ipv4, ipv6 }, purpose, atMs };
      }
      return known.routes;
    },
  };
}

/** All that routes are looked at for: addresses that may overlap them, and networks that they lead to. */
const toPurpose = (devices: readonly DesiredDevice[]): string =>
  JSON.stringify(devices.map(({ interfaceName, addresses, networks }) => [interfaceName, addresses, networks]));

/** An IPv4 one; IPv6 addresses overlap nothing (planLink). */
function isAddressMissing(devices: readonly DesiredDevice[], links: readonly ObservedLink[]): boolean {
  const present = new Map(
    links.map(({ name, addresses }) => [
      name,
      new Set(addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`)),
    ]),
  );
  return devices.some(({ interfaceName, addresses }) =>
    addresses.some((address) => !address.includes(":") && !present.get(interfaceName)?.has(address)),
  );
}
