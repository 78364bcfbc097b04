// Routes and VIPs of a fleet: how they are made, and what machines made of them. Read from the kernel and from WireGuard, which are the lab's own
// eyes, independent of the agent's.
import { z } from "zod";
import type { CreateRoute } from "#schema/api/routes";
import type { CreateVip } from "#schema/api/vips";
import { Route } from "#schema/route";
import { Vip } from "#schema/vip";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import type { Api } from "./api.ts";
import type { Fleet } from "./fleet.ts";
import { readTunnels } from "./tunnels.ts";

export const createRoute = async (
  { api }: { api: Api },
  meshId: string,
  route: z.input<typeof CreateRoute>,
): Promise<Route> => Route.parse(await api.call("POST", `/meshes/${meshId}/routes`, route));

export const createVip = async ({ api }: { api: Api }, meshId: string, vip: z.input<typeof CreateVip>): Promise<Vip> =>
  Vip.parse(await api.call("POST", `/meshes/${meshId}/vips`, vip));

const KernelRoute = z.object({
  dst: z.string(),
  gateway: z.string().optional(),
  dev: z.string(),
  metric: z.number().optional(),
});
export interface BirdRoute {
  readonly prefix: string;
  readonly nextHop: string | null;
  readonly interfaceName: string;
}

/** What some BIRD put into the machine's main table; single hosts are /32 and /128. */
export async function readBirdRoutes(machine: LabNode): Promise<BirdRoute[]> {
  const read = async (family: "-4" | "-6", host: string, any: string) => {
    const { stdout } = await machine.exec(["ip", family, "-json", "route", "show", "table", "main", "proto", "bird"]);
    return z
      .array(KernelRoute)
      .parse(JSON.parse(stdout || "[]"))
      .map(({ dst, gateway, dev }) => {
        const prefix = dst === "default" ? any : dst.includes("/") ? dst : `${dst}/${host}`;
        return { prefix, nextHop: gateway ?? null, interfaceName: dev };
      });
  };
  return [...(await read("-4", "32", "0.0.0.0/0")), ...(await read("-6", "128", "::/0"))];
}

/** What WireGuard would do with a packet for a prefix: the mesh address of the peer that has exactly this one. Null: none has. */
export async function readAllowedPeer(machine: LabNode, prefix: string): Promise<readonly string[] | null> {
  const tunnel = (await readTunnels(machine)).find(({ allowedIps }) => allowedIps.includes(prefix));
  return tunnel?.allowedIps ?? null;
}

/** Waits until packets for the prefix go to this member (its mesh address) by the kernel and by WireGuard; null: by neither to anybody. */
export async function untilRouted(
  machine: LabNode,
  prefix: string,
  to: string | null,
  { withinMs = 60_000 } = {},
): Promise<void> {
  await eventually(
    async () => {
      const route = (await readBirdRoutes(machine)).find((one) => one.prefix === prefix);
      const allowed = await readAllowedPeer(machine, prefix);
      if ((route?.nextHop ?? null) !== to) throw new Error(`the kernel has ${route?.nextHop ?? "no route"}`);
      if (to === null ? allowed !== null : !allowed?.includes(toHost(to)))
        throw new Error(`WireGuard has ${allowed?.join(", ") ?? "no peer"}`);
      return true;
    },
    { withinMs, describe: `${machine.name} sends what is for ${prefix} to ${to ?? "nobody"}` },
  );
}

const toHost = (address: string): string => (address.includes(":") ? `${address}/128` : `${address}/32`);

/** Gives a machine a network of its own, with one address in it that answers: what an announced network can be tested with. */
export async function addNetwork(machine: LabNode, ...addresses: string[]): Promise<void> {
  for (const address of addresses) await machine.exec(["ip", "address", "add", address, "dev", "lo"]);
}

/** The machine ids and mesh addresses of these machines; rejects while one is no member. */
export async function untilMembers(fleet: Fleet, meshId: string, names: readonly string[]) {
  return await eventually(
    async () => {
      const addresses = await fleet.addresses(meshId);
      const found = names.map((name) => addresses.get(name));
      if (found.includes(undefined)) throw new Error(`only ${[...addresses.keys()].join(", ")}`);
      return found.filter((one) => one !== undefined);
    },
    { withinMs: 60_000, describe: `${names.join(", ")} are members` },
  );
}

/** In a machine. */
export const BIRD_FOLDER = "/run/becket/bird";

/** BIRD's own words on a machine, asked over the control socket of one of its meshes. */
export async function askBird(machine: LabNode, interfaceName: string, ...command: string[]): Promise<string> {
  const { stdout } = await machine.exec(["birdc", "-s", `${BIRD_FOLDER}/${interfaceName}.ctl`, ...command]);
  return stdout;
}
