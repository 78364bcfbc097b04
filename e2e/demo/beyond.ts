// What is beyond the demo's mesh, and how it is made: the LAN behind alice, an address that bob and carol hold, and dora's mesh behind carol.
import type { CreatedMesh } from "#schema/api/meshes";
import type { Fleet } from "../fleet/fleet.ts";
import { pingOnce } from "../fleet/reach.ts";
import { createRoute, createVip, readBirdRoutes, untilMembers } from "../fleet/routing.ts";
import type { BeyondRow } from "./render-beyond.ts";

/** Somewhere that is no member of the mesh. */
export interface Beyond {
  readonly name: string;
  readonly address: string;
  readonly prefix: string;
  /** Those whose BIRD announces it, or brings it from another mesh. */
  readonly announcers: readonly string[];
}

const PING_TIMEOUT_MS = 1_000;

/** Everything by the API, as users do it. */
export async function reachBeyond(fleet: Fleet, mesh: CreatedMesh): Promise<Beyond[]> {
  const { api, lab } = fleet;
  const [alice, bob, carol] = await untilMembers(fleet, mesh.id, ["alice", "bob", "carol"]);
  if (!alice || !bob || !carol) throw new Error("all are members");
  const printer = lab.machine("printer").ipv4 ?? "";
  const lan = `${printer.split(".").slice(0, 3).join(".")}.0/24`;
  await createRoute(fleet, mesh.id, {
    name: "home",
    prefixes: [lan],
    machineIds: [alice.machineId],
    isMasquerading: true,
  });
  const vip = await createVip(fleet, mesh.id, {
    ...{ name: "service", address: "10.77.200.1", machineIds: [bob.machineId, carol.machineId] },
  });
  const shop = await api.createMesh({ name: "shop", cidr: "10.78.0.0/16" });
  const { token } = await api.createJoinToken({ meshIds: [shop.id] });
  await fleet.agent("dora").up({ token });
  await api.addMember(shop.id, carol.machineId);
  await api.call("PATCH", `/machines/${carol.machineId}`, { gateway: true });
  const [dora] = await untilMembers(fleet, shop.id, ["dora", "carol"]);
  return [
    { name: "printer, on alice's LAN", address: printer, prefix: lan, announcers: ["alice"] },
    { name: "a VIP of bob and carol", address: vip.address, prefix: `${vip.address}/32`, announcers: ["bob", "carol"] },
    { name: "dora, in the mesh shop", address: dora?.ipv4 ?? "", prefix: shop.cidr, announcers: ["carol"] },
  ];
}

/** `names`: who should reach it. */
export async function readBeyond(
  fleet: Fleet,
  mesh: { readonly meshId: string; readonly names: readonly string[] },
  all: readonly Beyond[],
): Promise<BeyondRow[]> {
  const members = await fleet.addresses(mesh.meshId);
  const nameOf = (address: string | null) => [...members].find(([, { ipv4 }]) => ipv4 === address)?.[0];
  const routes = new Map(
    await Promise.all(
      mesh.names.map(async (name) => [name, await readBirdRoutes(fleet.lab.machine(name)).catch(() => [])] as const),
    ),
  );
  return Promise.all(
    all.map(async ({ name, address, prefix, announcers }): Promise<BeyondRow> => {
      const reached = await Promise.all(
        mesh.names.map((from) => pingOnce(fleet.lab.machine(from), address, { timeoutMs: PING_TIMEOUT_MS })),
      );
      const through = mesh.names
        .filter((from) => !announcers.includes(from))
        .flatMap((from) => routes.get(from)?.find((route) => route.prefix === prefix)?.nextHop ?? [])
        .flatMap((nextHop) => nameOf(nextHop) ?? []);
      return {
        name,
        address,
        through: [...new Set(through)],
        reachedBy: mesh.names.filter((_, index) => reached[index]),
        wanted: mesh.names.length,
      };
    }),
  );
}
