import { MachineId } from "#schema/ids";
import { ONLINE_WITHIN_MS } from "#schema/limits";
import type { Machine, Membership } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import { findMachine, listMachineRows, type MachineRecord } from "../db/machines.ts";
import { type ListedMembership, listMembershipsOf } from "../db/memberships.ts";
import type { Failure } from "../failure.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";
import { readLastSeen } from "./read-last-seen.ts";

/** Two D1 queries and one call per mesh, however many machines the page has. */
export async function listMachines(
  services: Services,
  query: PageQuery,
): Promise<Result<Page<Machine>, Failure<"cursor_invalid">>> {
  const request = parsePageRequest(query, MachineId);
  if (!request.ok) return request;
  const rows = await listMachineRows(services.db, request.value);
  const page = toPage(rows, request.value.limit, { idOf: (row) => row.id, toItem: (row) => row });
  return ok({ items: await toMachines(services, page.items), nextCursor: page.nextCursor });
}

export async function readMachine(
  services: Services,
  machineId: MachineId,
): Promise<Result<Machine, Failure<"machine_not_found">>> {
  const row = await findMachine(services.db, machineId);
  const [machine] = row === null ? [] : await toMachines(services, [row]);
  return machine === undefined ? err({ code: "machine_not_found" }) : ok(machine);
}

/** @param rows in order of their ids, with no machine left out between */
async function toMachines(services: Services, rows: readonly MachineRecord[]): Promise<Machine[]> {
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return [];
  const memberships = await listMembershipsOf(services.db, { first: first.id, last: last.id });
  const byMachine = Map.groupBy(memberships, ({ machineId }) => machineId);
  const lastSeen = await readLastSeen(
    services,
    rows.map(({ id }) => id),
    memberships,
  );
  const now = services.now();
  return rows.map((row) => {
    const seenAt = lastSeen.get(row.id) ?? null;
    return {
      id: row.id,
      name: row.name,
      online: seenAt !== null && now - seenAt <= ONLINE_WITHIN_MS,
      lastSeenAt: seenAt === null ? null : new Date(seenAt).toISOString(),
      agent: row.agent,
      meshes: (byMachine.get(row.id) ?? []).map(toMembership),
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
