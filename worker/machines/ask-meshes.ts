// What a machine is asked for live: each Mesh object that it is in is asked, and asks the machine.
import type { MachineId, MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { type MachineRecord, readMachineWithMeshes } from "../db/machines.ts";
import type { ListedMembership } from "../db/memberships.ts";
import type { Failure } from "../failure.ts";
import type { MeshObjectRpc, TelemetryError } from "../mesh-object/rpc.ts";
import type { Services } from "../services.ts";
import { readLastSeen } from "./read-last-seen.ts";

export type LiveParts = Pick<Services, "db" | "objects" | "log">;
export type LiveFailure = Failure<"machine_not_found" | "machine_offline" | "machine_silent">;

export interface LiveQuestion<T> {
  readonly machineId: MachineId;
  readonly isWanted?: (place: ListedMembership) => boolean;
  /** How long a mesh waits for the machine. */
  readonly waitMs: number;
  readonly ask: (mesh: MeshObjectRpc) => Promise<Result<T, TelemetryError>>;
}

export interface LiveAnswer<T> {
  readonly meshId: MeshId;
  readonly value: T;
}

/** Of each mesh that the machine answers in; a mesh where it is not connected is left out unless that is true of all. */
export async function askMeshes<T>(
  services: LiveParts,
  { machineId, isWanted = () => true, waitMs, ask }: LiveQuestion<T>,
): Promise<Result<LiveAnswer<T>[], LiveFailure>> {
  const { machines, memberships } = await readMachineWithMeshes(services.db, machineId);
  const [machine] = machines;
  if (machine === undefined) return err({ code: "machine_not_found" });
  const answers = await Promise.all(
    memberships.filter(isWanted).map(async ({ meshId }) => ({
      meshId,
      answer: await ask(services.objects.mesh(meshId)),
    })),
  );
  const told = answers.flatMap(({ meshId, answer }) => (answer.ok ? [{ meshId, value: answer.value }] : []));
  const codes = answers.flatMap(({ answer }) => (answer.ok ? [] : [answer.error.code]));
  if (told.length > 0 || !codes.some((code) => code === "offline" || code === "silent")) return ok(told);
  if (codes.includes("silent")) {
    return err({ code: "machine_silent", detail: `${machine.name} did not answer within ${waitMs / 1_000} s` });
  }
  return err({ code: "machine_offline", detail: await describeOffline(services, machine, memberships) });
}

async function describeOffline(
  services: LiveParts,
  { id, name }: MachineRecord,
  memberships: readonly ListedMembership[],
): Promise<string> {
  const seenAt = (await readLastSeen(services, [id], memberships)).get(id);
  const since = seenAt === undefined ? "it was never seen" : `it was last seen at ${new Date(seenAt).toISOString()}`;
  return `${name} is not connected; ${since}`;
}
