import type { UpdateMachine } from "#schema/api/machines";
import type { MachineId, MeshId } from "#schema/ids";
import type { Machine } from "#schema/machine";
import { err, type Result } from "#schema/result";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertAuditEvent } from "../db/audit-events.ts";
import { runBatch } from "../db/database.ts";
import { isReferenceViolation, parseUniqueViolation } from "../db/errors.ts";
import { findMachine, type MachineRecord, updateMachineRow } from "../db/machines.ts";
import { listMembershipsOf } from "../db/memberships.ts";
import { type Failure, fieldFailure } from "../failure.ts";
import { findGatewayOverlap } from "../gateways/find-gateway-overlap.ts";
import { hintLists } from "../meshes/hint-lists.ts";
import type { Cause } from "../outbox/cause.ts";
import { changePolicies } from "../policy-sets/tell-meshes.ts";
import { findMissingSet, isUsingSets, pickChangedSets } from "../policy-sets/used-sets.ts";
import type { Services } from "../services.ts";
import { readMachine } from "./read-machines.ts";

type UpdateMachineFailure = Failure<
  "machine_not_found" | "name_taken" | "cidr_overlap" | "policy_set_not_found" | "limit_reached"
>;

export async function updateMachine(
  services: Services,
  { machineId, change, cause }: { machineId: MachineId; change: UpdateMachine; cause: Cause },
): Promise<Result<Machine, UpdateMachineFailure>> {
  const machine = await findMachine(services.db, machineId);
  if (machine === null) return err({ code: "machine_not_found" });
  const missing = await findMissingSet(services.db, change);
  if (missing !== null) return err(missing);
  if (change.gateway === true) {
    const overlap = await findGatewayOverlap(services, { machineId, meshIds: await listMeshesOf(services, machineId) });
    if (overlap !== null) return err(overlap);
  }
  const stored = await changePolicies(services, {
    // Also when the row had them, as below.
    listMeshes: async () => (isUsingSets(change) ? listMeshesOf(services, machineId) : []),
    write: () => storeChange(services, { machine, change, cause }),
  });
  if (!stored.ok) return stored;
  if (stored.value !== null) return err(stored.value);
  const { name, gateway } = change;
  // Also when the row had them: the call before may have been interrupted between the row and the object.
  if (name !== undefined || gateway !== undefined) {
    await services.objects.machine(machineId).update({
      ...(name === undefined ? {} : { name }),
      ...(gateway === undefined ? {} : { isGateway: gateway }),
    });
  }
  // Only D1 knows them, so the meshes tell those who watch.
  if (change.tags !== undefined) await hintLists(services, await listMeshesOf(services, machineId));
  return readMachine(services, machineId);
}

const listMeshesOf = async ({ db }: Services, machineId: MachineId): Promise<MeshId[]> =>
  (await listMembershipsOf(db, machineId)).map(({ meshId }) => meshId);

const isSameTags = (one: readonly string[], other: readonly string[]): boolean => one.join() === other.join();

/** What keeps it from being stored. */
async function storeChange(
  services: Services,
  { machine, change, cause }: { machine: MachineRecord; change: UpdateMachine; cause: Cause },
): Promise<Failure<"name_taken" | "policy_set_not_found"> | null> {
  const { db } = services;
  const { name = machine.name, gateway = machine.isGateway, tags = machine.tags } = change;
  const sets = pickChangedSets(change, machine);
  const details = {
    ...(name === machine.name ? {} : { name, previousName: machine.name }),
    ...(gateway === machine.isGateway ? {} : { gateway }),
    ...(isSameTags(tags, machine.tags) ? {} : { tags, previousTags: machine.tags }),
    ...sets,
  };
  if (Object.keys(details).length === 0) return null;
  const event = createAuditEvent(services, cause, { action: "machine.updated", subjectId: machine.id, details });
  try {
    // What the change does not name may be another one by now.
    const update = updateMachineRow(db, machine.id, {
      ...(change.name === undefined ? {} : { name }),
      ...(change.gateway === undefined ? {} : { isGateway: gateway }),
      ...(change.tags === undefined ? {} : { tags }),
      ...sets,
    });
    await runBatch(db, [update, insertAuditEvent(db, event)]);
    return null;
  } catch (error) {
    if (parseUniqueViolation(error) === "machines.name") {
      return fieldFailure("name_taken", "name", `there is a machine named ${change.name} already`);
    }
    // It was there a moment ago.
    if (isReferenceViolation(error)) return { code: "policy_set_not_found" };
    throw error;
  }
}
