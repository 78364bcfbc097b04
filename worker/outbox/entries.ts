// What an object tells others after it changed. Kept as JSON in its outbox until it is delivered.
import { z } from "zod";
import { Actor, AuditAction } from "#schema/api/audit-events";
import { MachineId, MeshId, RolloutId } from "#schema/ids";
import { AgentInfo } from "#schema/machine";

const revision = z.number().int();
const timeMs = z.number().int();
/** Of the mesh after this change; left out where the mesh itself goes. */
const memberCount = z.number().int().optional();

/** What goes into D1. */
export const Projection = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("membership"),
    row: z.object({
      meshId: MeshId,
      machineId: MachineId,
      address: z.string(),
      address6: z.string(),
      revision,
      joinedAt: timeMs,
    }),
    memberCount,
  }),
  z.object({ type: z.literal("membership_removed"), meshId: MeshId, machineId: MachineId, revision, memberCount }),
  z.object({ type: z.literal("vip_count"), meshId: MeshId, vipCount: z.number().int(), revision }),
  z.object({
    type: z.literal("mesh_routing"),
    meshId: MeshId,
    routeReflectorMode: z.boolean(),
    gatewayCount: z.number().int(),
    revision,
  }),
  z.object({ type: z.literal("agent_info"), machineId: MachineId, agent: AgentInfo }),
  z.object({
    type: z.literal("upgrade_ended"),
    ending: z.object({
      rolloutId: RolloutId,
      machineId: MachineId,
      state: z.enum(["done", "failed", "skipped"]),
      detail: z.string().nullable(),
      at: timeMs,
    }),
  }),
  /** Nothing goes into D1: more machines of the roll-out are to be asked. */
  z.object({ type: z.literal("rollout_unfinished"), rolloutId: RolloutId }),
  z.object({
    type: z.literal("audit_event"),
    event: z.object({
      id: z.string(),
      at: timeMs,
      actor: Actor,
      action: AuditAction,
      subjectId: z.string(),
      meshId: z.string().nullable(),
      details: z.record(z.string(), z.unknown()),
      requestId: z.string(),
    }),
  }),
]);
export type Projection = z.infer<typeof Projection>;

/** What a Machine object is told by a mesh that was deleted. */
export const Notice = z.object({ machineId: MachineId, meshId: MeshId });
export type Notice = z.infer<typeof Notice>;
