// Names where the API wants ids. An id is taken as it is.
import { listApiTokens } from "#schema/api/api-tokens";
import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import type { Operation } from "#schema/api/operation";
import { listPolicySets } from "#schema/api/policy-sets";
import { listRollouts } from "#schema/api/rollouts";
import { listRoutes } from "#schema/api/routes";
import { listUsers } from "#schema/api/users";
import { listVips } from "#schema/api/vips";
import { ID_PREFIXES } from "#schema/ids";
import { CommandFailure, EXIT_CODES } from "../local/exit-codes.ts";
import type { ApiClient } from "./api-client.ts";
import type { Reference } from "./fields.ts";

const LISTS: Readonly<Record<Reference, Operation>> = {
  mesh: listMeshes,
  machine: listMachines,
  route: listRoutes,
  vip: listVips,
  policySet: listPolicySets,
  user: listUsers,
  apiToken: listApiTokens,
  rollout: listRollouts,
};
const LABELS: Readonly<Record<Reference, string>> = {
  mesh: "mesh",
  machine: "machine",
  route: "route",
  vip: "VIP",
  policySet: "policy set",
  user: "user",
  apiToken: "API token",
  rollout: "roll-out",
};

/** Roll-outs have no names; there is one at a time. */
export const LAST_ROLLOUT = "last";

/** @param meshId of those whose names are unique in a mesh only */
export async function resolveName(
  api: ApiClient,
  { reference, name, meshId }: { readonly reference: Reference; readonly name: string; readonly meshId?: unknown },
): Promise<string> {
  if (name.startsWith(ID_PREFIXES[reference])) return name;
  const { items } = await api.list(LISTS[reference], meshId === undefined ? {} : { params: { meshId } });
  const [newest] = items as { id: string }[];
  if (reference === "rollout" && name === LAST_ROLLOUT && newest !== undefined) return newest.id;
  const found = (items as { id: string; name: string }[]).filter((item) => item.name === name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.id;
  const label = LABELS[reference];
  throw new CommandFailure(
    EXIT_CODES.failed,
    found.length === 0
      ? reference === "rollout" && name === LAST_ROLLOUT
        ? "there was no roll-out yet"
        : `there is no ${label} named "${name}"`
      : `"${name}" is the name of ${found.length}: take the id, one of ${found.map(({ id }) => id).join(", ")}`,
  );
}
