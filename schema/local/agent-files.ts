// Files that the agent keeps in its state folder. The identity's private key and the WireGuard keys have files of their own and no
// schema: they never leave the machine.
import { z } from "zod";
import { AnnouncementId, DesiredMesh, DeviceEpoch, Revision } from "../desired-state.ts";
import { MachineId, MeshId } from "../ids.ts";
import { Name } from "../mesh.ts";
import { StunServer } from "../nat.ts";
import { IdentitySuccession } from "../wire/identity-key.ts";

/** The control plane's origin as the machine calls it: scheme, host and port, no path. Also the `aud` of machine tokens. */
export const ControlPlaneUrl = z
  .string()
  .max(255)
  .regex(/^https?:\/\/[^\s/?#@]+$/, "must be scheme, host and port only, like https://becket.example.com");

/** identity.json: what this machine is, and to whom. Written at enrolment. */
export const EnrolmentFile = z.object({
  version: z.literal(1),
  controlPlaneUrl: ControlPlaneUrl,
  machineId: MachineId,
  name: Name,
});
export type EnrolmentFile = z.infer<typeof EnrolmentFile>;

/** identity.successions.json: how the identity key came to be this one, newest last. */
export const SuccessionsFile = z.object({
  version: z.literal(1),
  successions: z.array(IdentitySuccession),
});
export type SuccessionsFile = z.infer<typeof SuccessionsFile>;

/** state.json: the newest word of the Machine object. */
export const MachineFile = z.object({
  version: z.literal(1),
  revision: Revision,
  meshes: z.array(z.object({ meshId: MeshId, name: Name })),
  stunServers: z.array(StunServer).default([]),
});
export type MachineFile = z.infer<typeof MachineFile>;

/** meshes/<mesh id>.json: one mesh, with what this machine chose for it and keeps. */
export const MeshFile = z.object({
  version: z.literal(1),
  meshId: MeshId,
  interfaceName: z.string().regex(/^bkt-[a-z0-9-]{1,11}$/),
  listenPort: z.number().int().min(1).max(65_535),
  /** Of the interface that was there when this was written. */
  deviceEpoch: DeviceEpoch.optional(),
  /** Null until the first snapshot. */
  desired: DesiredMesh.nullable(),
});
export type MeshFile = z.infer<typeof MeshFile>;

/** announced.json in the run folder: what this machine announces, as long as it is up. */
export const AnnouncedFile = z.object({
  version: z.literal(1),
  announced: z.array(z.object({ meshId: MeshId, id: AnnouncementId })),
});
export type AnnouncedFile = z.infer<typeof AnnouncedFile>;
