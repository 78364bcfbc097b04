import type { MachineId, MeshId } from "#schema/ids";
import { isDefaultRoute, isPrefixOverlapping, type Prefix } from "#schema/prefix";
import { listOtherNetworks } from "../db/memberships.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import type { Services } from "../services.ts";

/**
 * A machine that announces a network of another mesh which it is in would bring that mesh into this one: that is what gateways are for. D1 may
 * lag a join by an outbox delivery, so a join at the same moment can slip through.
 */
export async function findForeignOverlap(
  { db }: Pick<Services, "db">,
  announced: {
    readonly meshId: MeshId;
    readonly machineIds: readonly MachineId[];
    readonly prefixes: readonly Prefix[];
  },
): Promise<Failure<"cidr_overlap"> | null> {
  const { meshId, machineIds, prefixes } = announced;
  if (machineIds.length === 0) return null;
  const networks = await listOtherNetworks(db, meshId, machineIds);
  for (const { machineId, meshName, cidr, cidr6 } of networks) {
    for (const [index, prefix] of prefixes.entries()) {
      const network = [cidr, cidr6].find((other) => isPrefixOverlapping(prefix, other));
      if (network === undefined || isDefaultRoute(prefix)) continue;
      const message = `${prefix} overlaps ${network} of the mesh ${meshName}, which the machine ${machineId} is in`;
      return fieldFailure("cidr_overlap", `prefixes.${index}`, message);
    }
  }
  return null;
}
