// Which questions the hints of a mesh make old, and how often they are asked all the same while hints come. Pure.
import type { listAuditEvents } from "#schema/api/audit-events";
import type {
  explainMachinePeer,
  getMachineNetwork,
  listMachineEndpoints,
  listMachineEvents,
  listMachinePeers,
} from "#schema/api/machine-links";
import type { getMachineRib, listMachineAnnouncements } from "#schema/api/machine-routing";
import type { getMachine, listMachines } from "#schema/api/machines";
import type { getMember, listMembers } from "#schema/api/members";
import type { getMesh, listMeshes } from "#schema/api/meshes";
import type { listRoutes } from "#schema/api/routes";
import type { listVips } from "#schema/api/vips";
import { LIVE_RESOURCES, type LiveChange, type LiveResource } from "#schema/live/messages";

export interface Covered {
  /** Whose hints say that it is old. `every`: those of all meshes. */
  readonly scope: "mesh" | "machine" | "every";
  readonly madeOldBy: readonly LiveResource[];
  /** In case a hint was lost; null: something of it changes without a hint, so it is asked as often as without. */
  readonly everyMs: number | null;
  /**
   * It is asked more slowly only while telemetry of the machine comes. `inside`: that has the answer; `beside`: while it comes, the machine says when
   * to ask.
   */
  readonly telemetry?: "inside" | "beside";
}

const NET_MS = 60_000;
/** A machine that dies says nothing: that it is offline is found out by asking. */
const PRESENCE_MS = 30_000;
/** Meshes that are made, and machines in none, have nobody who hints at them. */
const EVERY_MS = 15_000;

/** By their ids: whoever names the operations themselves has the schemas of all of them made when the page starts. */
type OperationId = (
  | typeof explainMachinePeer
  | typeof getMachine
  | typeof getMachineNetwork
  | typeof getMachineRib
  | typeof getMember
  | typeof getMesh
  | typeof listAuditEvents
  | typeof listMachineAnnouncements
  | typeof listMachineEndpoints
  | typeof listMachineEvents
  | typeof listMachinePeers
  | typeof listMachines
  | typeof listMembers
  | typeof listMeshes
  | typeof listRoutes
  | typeof listVips
)["id"];

const OPERATIONS: readonly (readonly [OperationId, Covered])[] = [
  ["listMeshes", { scope: "every", madeOldBy: ["mesh", "lists"], everyMs: EVERY_MS }],
  ["listMachines", { scope: "every", madeOldBy: ["mesh", "machines", "presence", "lists"], everyMs: EVERY_MS }],
  ["listAuditEvents", { scope: "every", madeOldBy: ["lists"], everyMs: null }],
  ["getMesh", { scope: "mesh", madeOldBy: ["mesh", "lists"], everyMs: NET_MS }],
  ["listMembers", { scope: "mesh", madeOldBy: ["members", "machines", "presence"], everyMs: PRESENCE_MS }],
  ["getMember", { scope: "mesh", madeOldBy: ["members", "machines", "presence"], everyMs: PRESENCE_MS }],
  ["listRoutes", { scope: "mesh", madeOldBy: ["routes", "presence"], everyMs: PRESENCE_MS }],
  ["listVips", { scope: "mesh", madeOldBy: ["vips", "presence"], everyMs: PRESENCE_MS }],
  ["getMachine", { scope: "machine", madeOldBy: ["mesh", "machines", "presence", "lists"], everyMs: PRESENCE_MS }],
  ["listMachineEvents", { scope: "machine", madeOldBy: ["links"], everyMs: NET_MS }],
  ["listMachinePeers", toTelemetry("links")],
  ["explainMachinePeer", toTelemetry("links")],
  ["listMachineEndpoints", toTelemetry("network")],
  ["getMachineNetwork", toTelemetry("network")],
  ["listMachineAnnouncements", toTelemetry("routes", "vips")],
  ["getMachineRib", { ...toTelemetry("rib", "routes", "vips"), everyMs: PRESENCE_MS, telemetry: "beside" }],
];
const COVERED: ReadonlyMap<string, Covered> = new Map(OPERATIONS);

function toTelemetry(...madeOldBy: readonly LiveResource[]): Covered {
  return { scope: "machine", madeOldBy: ["presence", ...madeOldBy], everyMs: NET_MS, telemetry: "inside" };
}

export const findCovered = (operationId: string): Covered | null => COVERED.get(operationId) ?? null;

/** What a question is about: the first and the last part of its key (use-api.ts). */
export interface Question {
  readonly operationId: string;
  readonly meshId: string | null;
  readonly machineId: string | null;
  readonly peerId: string | null;
  /** Of the machine's meshes, only this one; null: all. */
  readonly onlyMeshId: string | null;
}

export function toQuestion(queryKey: readonly unknown[]): Question {
  const input = queryKey[2] as
    | Readonly<Partial<Record<"params" | "query", Partial<Record<string, string>>>>>
    | undefined;
  const { meshId = null, machineId = null, peerId = null } = input?.params ?? {};
  const { meshId: onlyMeshId = null } = input?.query ?? {};
  return { operationId: String(queryKey[0]), meshId, machineId, peerId, onlyMeshId };
}

const KNOWN: ReadonlySet<string> = new Set(LIVE_RESOURCES);

/** Whether this change of the mesh makes the answer old. A resource that this page does not know may be anything. */
export function isMadeOld(
  { operationId, meshId, machineId }: Question,
  changedIn: string,
  change: LiveChange,
): boolean {
  const covered = findCovered(operationId);
  if (covered === null || (meshId !== null && meshId !== changedIn)) return false;
  if (!KNOWN.has(change.resource)) return true;
  if (!covered.madeOldBy.some((resource) => resource === change.resource)) return false;
  const { machineIds } = change;
  return machineIds === null || machineId === null || machineIds.some((id) => id === machineId);
}
