// What a machine's routing does right now: asked of the machine itself while it is connected.
import { z } from "zod";
import { AnnouncementState } from "../announcement-state.ts";
import { MAX_RIB_ROUTES, RibRoute } from "../bgp.ts";
import { MachineId, MeshId } from "../ids.ts";
import { Name } from "../mesh.ts";
import { Prefix } from "../prefix.ts";
import { SpokenText } from "../spoken-text.ts";
import { defineOperation } from "./operation.ts";

const tag = "machines";
const params = z.object({ machineId: MachineId });
const errors = ["machine_not_found", "machine_offline", "machine_silent"] as const;

export const MachineRoute = RibRoute.extend({ meshId: MeshId.describe("The mesh whose BIRD knows it.") }).meta({
  id: "MachineRoute",
  description: "A route that a machine knows of in one of its meshes.",
});
export type MachineRoute = z.infer<typeof MachineRoute>;

export const MachineRib = z
  .object({
    items: z
      .array(MachineRoute)
      .describe("Routes of one prefix together, the best first; what import filters refused comes last in each mesh."),
    isTruncated: z.boolean().meta({
      description: "There are more: ask for a prefix, or for one mesh.",
      examples: [false],
    }),
    problems: z
      .array(
        z.object({
          meshId: MeshId,
          message: SpokenText.meta({
            description: "What is the matter there, for people.",
            examples: ["no BIRD runs for this mesh"],
          }),
        }),
      )
      .describe("Meshes of which nothing can be shown."),
  })
  .meta({ id: "MachineRib", description: "The routes that a machine knows of." });
export type MachineRib = z.infer<typeof MachineRib>;

export const MachineAnnouncement = AnnouncementState.extend({
  meshId: MeshId,
  kind: z.enum(["route", "vip"]).meta({ description: "What it is.", examples: ["route"] }),
  name: Name.describe("Its name."),
  prefixes: z.array(Prefix).describe("What is announced."),
}).meta({
  id: "MachineAnnouncement",
  description: "A route or VIP that a machine has to announce, and whether it does.",
});
export type MachineAnnouncement = z.infer<typeof MachineAnnouncement>;

export const AnnouncementList = z
  .object({ items: z.array(MachineAnnouncement).describe("All of them.") })
  .meta({ id: "AnnouncementList", description: "What a machine has to announce." });

export const getMachineRib = defineOperation({
  id: "getMachineRib",
  tag,
  method: "get",
  path: "/machines/{machineId}/rib",
  summary: "Read a machine's routes",
  description: `The routes that its BIRDs know of, used or not, and why not. Live: the machine itself is asked. At most ${MAX_RIB_ROUTES} are told.`,
  role: "viewer",
  params,
  query: z.object({
    meshId: MeshId.optional().describe("Only in this mesh."),
    prefix: Prefix.optional().describe("Only routes that contain it or are inside it."),
  }),
  status: 200,
  reply: MachineRib,
  errors,
});
export const listMachineAnnouncements = defineOperation({
  id: "listMachineAnnouncements",
  tag,
  method: "get",
  path: "/machines/{machineId}/announcements",
  summary: "List what a machine has to announce, and whether it does",
  description:
    "Its routes and VIPs in each mesh, with the state of their health checks. Live: the machine itself is asked, which takes up to four seconds. One that the machine was told of a moment ago may be missing.",
  role: "viewer",
  params,
  query: z.object({ meshId: MeshId.optional().describe("Only in this mesh.") }),
  status: 200,
  reply: AnnouncementList,
  errors,
});
