// Routes: networks behind members, which they announce into a mesh.
import { z } from "zod";
import { announcementHealth } from "./announcement-state.ts";
import { HealthCheck } from "./health-check.ts";
import { MachineId, MeshId, RouteId } from "./ids.ts";
import { MAX_MACHINES_PER_ANNOUNCEMENT, MAX_PREFIXES_PER_ROUTE } from "./limits.ts";
import { Name } from "./mesh.ts";
import { RoutePrefix } from "./prefix.ts";
import { Timestamp } from "./timestamp.ts";

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

export const Prefixes = z
  .array(RoutePrefix)
  .min(1)
  .max(MAX_PREFIXES_PER_ROUTE)
  .refine(isDistinct, "must not name a prefix twice")
  .meta({
    description:
      "The networks behind its machines, in no order. They may overlap those of other routes: the longest prefix wins.",
    examples: [["192.168.7.0/24"]],
  });

export const Announcers = z
  .array(MachineId)
  .max(MAX_MACHINES_PER_ANNOUNCEMENT)
  .refine(isDistinct, "must not name a machine twice")
  .describe("The members that announce it: several for availability, none for not yet.");

export const isEnabled = z.boolean().meta({ description: "False: nobody announces it.", examples: [true] });
export const NullableHealthCheck = HealthCheck.nullable().describe(
  "A machine announces only while this check passes there; null: always.",
);
export const isMasquerading = z.boolean().meta({
  description:
    "True: its machines forward into these networks from their own address there, for networks that have no way back to the mesh.",
  examples: [false],
});
export const allowsDefaultRoute = z.boolean().meta({
  description:
    "True: its prefixes may be a default route, or a part of it that is shorter than /8 (IPv6: /7). Without it such prefixes are refused, for " +
    "they draw away the traffic of every member.",
  examples: [false],
});

export const Route = z
  .object({
    id: RouteId,
    meshId: MeshId,
    name: Name.meta({ description: "The route's name, unique among the mesh's routes.", examples: ["warehouse-lan"] }),
    prefixes: Prefixes,
    machineIds: Announcers,
    enabled: isEnabled,
    isMasquerading,
    allowsDefaultRoute,
    healthCheck: NullableHealthCheck,
    createdAt: Timestamp.describe("When the route was created."),
    ...announcementHealth,
  })
  .meta({ id: "Route", description: "Networks behind members of a mesh, which they announce to the other members." });
export type Route = z.infer<typeof Route>;
