import { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { Machine, Membership } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { isUpToDate } from "#schema/rollout";
import { type MachineRecord, readMachinePage, readMachineWithMeshes } from "../db/machines.ts";
import type { ListedMembership } from "../db/memberships.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { readLastSeen } from "./read-last-seen.ts";

/** One round trip to D1 and one call per mesh, however many machines the page has. */
export async function listMachines(
  services: Services,
  query: PageQuery & { readonly tag?: string | undefined },
): Promise<Result<Page<Machine>, Failure<"cursor_invalid">>> {
  const request = parsePageRequest(query, MachineId);
  if (!request.ok) return request;
  const { machines, memberships } = await readMachinePage(services.db, { ...request.value, tag: query.tag });
  const { items, nextCursor } = toPage(machines, request.value.limit, { idOf: (row) => row.id, toItem: (row) => row });
  return ok({ items: await toMachines(services, items, memberships), nextCursor });
}

export async function readMachine(
  services: Services,
  machineId: MachineId,
): Promise<Result<Machine, Failure<"machine_not_found">>> {
  const { machines, memberships } = await readMachineWithMeshes(services.db, machineId);
  const [machine] = await toMachines(services, machines, memberships);
  return machine === undefined ? err({ code: "machine_not_found" }) : ok(machine);
}

async function toMachines(
  services: Services,
  rows: readonly MachineRecord[],
  memberships: readonly ListedMembership[],
): Promise<Machine[]> {
  const byMachine = Map.groupBy(memberships, ({ machineId }) => machineId);
  const ids = rows.map(({ id }) => id);
  const [lastSeen, build] = await Promise.all([readLastSeen(services, ids, memberships), services.agentBuild.recent()]);
  const now = services.now();
  return rows.map((row) => {
    const seenAt = lastSeen.get(row.id) ?? null;
    return {
      id: row.id,
      name: row.name,
      online: seenAt !== null && now - seenAt <= ONLINE_WITHIN_MS,
      lastSeenAt: seenAt === null ? null : new Date(seenAt).toISOString(),
      gateway: row.isGateway,
      tags: [...row.tags],
      importPolicySetId: row.importPolicySetId,
      exportPolicySetId: row.exportPolicySetId,
      agent: row.agent,
      upToDate: isUpToDate(row.agent, build),
      meshes: (byMachine.get(row.id) ?? []).map(toMembership),
      identityKeySince: new Date(row.identityKeySince ?? row.createdAt).toISOString(),
      createdAt: new Date(row.createdAt).toISOString(),
    };
  });
}

const toMembership = ({ meshId, meshName, address, address6 }: ListedMembership): Membership => ({
  meshId,
  meshName,
  address,
  address6,
});
