import { z } from "zod";
import { MeshId } from "../ids.ts";
import {
  MAX_UNSEEN_CHARACTERS,
  MAX_UNSEEN_FRAMES,
  MAX_WATCHED_MACHINES,
  SAY_SEEN_AFTER_CHARACTERS,
  SAY_SEEN_AFTER_FRAMES,
  WATCH_LEASE_MS,
  WATCH_RENEW_MS,
} from "../live/pace.ts";
import {
  Fallback,
  KeyRotationDays,
  Mesh,
  MeshCidr,
  meshPolicySets,
  Name,
  PrivateAsn,
  RouteReflectorMode,
  Warning,
} from "../mesh.ts";
import { Timestamp } from "../timestamp.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "meshes";
const params = z.object({ meshId: MeshId });

export const CreateMesh = z
  .object({
    name: Name,
    cidr: MeshCidr,
    isDefault: z
      .boolean()
      .default(false)
      .meta({
        description: "Newly enrolled machines join the default mesh. The mesh that was the default is no longer.",
        examples: [true],
      }),
    fallback: Fallback.default("relay"),
    routeReflectorMode: RouteReflectorMode.default(false),
    keyRotationDays: KeyRotationDays.default(null),
    asn: PrivateAsn.optional().describe("A private AS number (RFC 6996) for the mesh; a free one when left out."),
  })
  .meta({ id: "CreateMesh", examples: [{ name: "office", cidr: "10.1.0.0/16", isDefault: true }] });
export type CreateMesh = z.infer<typeof CreateMesh>;

const warnings = z.array(Warning).describe("What works and is worth knowing; mostly empty.");

export const CreatedMesh = Mesh.extend({ warnings }).meta({ id: "CreatedMesh", description: "The new mesh." });
export type CreatedMesh = z.infer<typeof CreatedMesh>;

export const MeshDetails = Mesh.extend({ warnings }).meta({
  id: "MeshDetails",
  description: "A mesh, with what is advised about it.",
});
export type MeshDetails = z.infer<typeof MeshDetails>;

export const UpdateMesh = z
  .object({
    name: Name.optional(),
    fallback: Fallback.optional(),
    routeReflectorMode: RouteReflectorMode.optional(),
    keyRotationDays: KeyRotationDays.optional(),
    importPolicySetId: meshPolicySets.importPolicySetId.optional(),
    exportPolicySetId: meshPolicySets.exportPolicySetId.optional(),
    isDefault: z
      .boolean()
      .optional()
      .meta({
        description: "True makes it the default mesh, in place of the one before; false leaves no default.",
        examples: [true],
      }),
  })
  .meta({ id: "UpdateMesh", description: "What is left out stays." });
export type UpdateMesh = z.infer<typeof UpdateMesh>;

export const listMeshes = defineOperation({
  id: "listMeshes",
  tag,
  method: "get",
  path: "/meshes",
  summary: "List meshes",
  role: "viewer",
  query: PageQuery,
  status: 200,
  reply: pageOf(Mesh, "MeshPage"),
  errors: ["cursor_invalid"],
});
export const createMesh = defineOperation({
  id: "createMesh",
  tag,
  method: "post",
  path: "/meshes",
  summary: "Create a mesh",
  description:
    "A mesh may overlap another one; no machine can then be in both, and a warning says so. The network never changes.",
  role: "admin",
  body: CreateMesh,
  status: 201,
  reply: CreatedMesh,
  isIdempotencyKeyAccepted: true,
  errors: ["name_taken", "asn_taken", "gateway_required"],
});
export const getMesh = defineOperation({
  id: "getMesh",
  tag,
  method: "get",
  path: "/meshes/{meshId}",
  summary: "Read a mesh",
  role: "viewer",
  params,
  status: 200,
  reply: MeshDetails,
  errors: ["mesh_not_found"],
});
export const updateMesh = defineOperation({
  id: "updateMesh",
  tag,
  method: "patch",
  path: "/meshes/{meshId}",
  summary: "Change a mesh",
  description:
    "Its name, how pairs talk that have no direct path, route reflector mode (which needs a gateway), how old keys get, its policy sets, and whether it is the default.",
  role: "admin",
  params,
  body: UpdateMesh,
  status: 200,
  reply: MeshDetails,
  errors: ["mesh_not_found", "name_taken", "gateway_required", "policy_set_not_found"],
});
export const RelayKey = z
  .object({
    madeAt: Timestamp.nullable().describe(
      "When the key was made; null while the mesh has none, because no pair has asked for a relay.",
    ),
  })
  .meta({ id: "RelayKey", description: "The key with which a mesh signs the tickets that open its relays." });
export type RelayKey = z.infer<typeof RelayKey>;

export const rotateRelayKey = defineOperation({
  id: "rotateRelayKey",
  tag,
  method: "post",
  path: "/meshes/{meshId}/rotate-relay-key",
  summary: "Replace a mesh's relay key",
  description:
    "The mesh signs with another key from then on; with the former one nobody opens a relay after two minutes. Relays that are open go on. A key that " +
    "was made within the last minute stays. By itself a key is replaced after 30 days, with the next ticket.",
  role: "admin",
  params,
  status: 200,
  reply: RelayKey,
  errors: ["mesh_not_found"],
});
export const deleteMesh = defineOperation({
  id: "deleteMesh",
  tag,
  method: "delete",
  path: "/meshes/{meshId}",
  summary: "Delete a mesh",
  role: "admin",
  params,
  query: z.object({
    force: z.stringbool().default(false).describe("Delete it although it has members; they all leave it."),
  }),
  status: 204,
  errors: ["mesh_not_found", "mesh_not_empty"],
});
export const watchMesh = defineOperation({
  id: "watchMesh",
  tag,
  method: "get",
  path: "/meshes/{meshId}/live",
  summary: "Watch a mesh",
  description:
    "A WebSocket that tells within a second what changed in the mesh, for whoever then asks for that, and carries telemetry of machines that it is " +
    "asked for. Messages are JSON text: `live.welcome`, `live.changed` and `live.telemetry` come, `live.watch` may be sent. Text `ping` is " +
    "answered `pong`. Browsers with a session need the header Origin, as for what is no GET.\n\n" +
    "`live.changed` names resources (`mesh`, `members`, `machines`, `presence`, `network`, `links`, `routes`, `vips`, `rib`, `lists`, or `anything`) and, where " +
    "it knows them, machines; it has no data: ask for what you show. One that you do not know may be anything of the mesh.\n\n" +
    `\`live.watch\` names up to ${MAX_WATCHED_MACHINES} machines (\`{"type":"live.watch","machines":[{"machineId":"mch_…"}],"seenMark":"1f0c9a3e"}\`), whose telemetry comes about ` +
    `once a second. Say it again every ${WATCH_RENEW_MS / 1_000} s: ${WATCH_LEASE_MS / 1_000} s after the last one it ends.\n\n` +
    "Every `live.changed` and `live.telemetry` ends in a `mark`. Give the newest one back as `seenMark`, with each `live.watch` and after " +
    `${SAY_SEEN_AFTER_FRAMES} messages or ${SAY_SEEN_AFTER_CHARACTERS / 1_000_000} million characters at the latest, with \`"machines":[]\` where none is watched: with ` +
    `${MAX_UNSEEN_FRAMES} messages or ${MAX_UNSEEN_CHARACTERS / 1_000_000} million characters unseen, nothing more is sent until it is; what was missed is then one hint, \`anything\`.\n\n` +
    "Close codes: 4400 and 4429, a message that is wrong, or one of too many; 4401, who watches was let in ten minutes ago, or its session, token or role changed: connect " +
    "again at once, to be let in or not; 4410, the mesh was deleted.",
  role: "viewer",
  params,
  status: 101,
  errors: ["mesh_not_found", "upgrade_required", "origin_mismatched", "limit_reached"],
});
