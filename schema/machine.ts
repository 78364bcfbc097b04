// A machine as the control plane knows it, and its membership in a mesh.
import { z } from "zod";
import { Ipv4, Ipv6 } from "./address.ts";
import { MachineId, MeshId, WireGuardPublicKey } from "./ids.ts";
import { Name } from "./mesh.ts";

/** What an agent tells of the machine it runs on; written when it changes. */
export const AgentInfo = z.object({
  agentVersion: z.string().max(32),
  nodeVersion: z.string().max(32),
  kernelVersion: z.string().max(128),
  /** Where WireGuard runs: in the kernel, or in the userspace process wireguard-go. */
  wireguard: z.enum(["kernel", "wireguard-go", "missing"]),
});
export type AgentInfo = z.infer<typeof AgentInfo>;

/** A reconcile step that failed on the machine, kept until it succeeds. */
export const StepFailure = z.object({
  step: z.string().max(64),
  code: z.string().max(64),
  message: z.string().max(1_024),
  since: z.iso.datetime(),
});
export type StepFailure = z.infer<typeof StepFailure>;

export const Membership = z.object({
  meshId: MeshId,
  meshName: Name,
  address: Ipv4,
  address6: Ipv6,
});
export type Membership = z.infer<typeof Membership>;

export const Machine = z.object({
  id: MachineId,
  name: Name,
  online: z.boolean(),
  /** When it was last heard from; null when that is not known. */
  lastSeenAt: z.iso.datetime().nullable(),
  agent: AgentInfo.nullable(),
  meshes: z.array(Membership),
  createdAt: z.iso.datetime(),
});
export type Machine = z.infer<typeof Machine>;

/** A machine in a mesh. */
export const Member = z.object({
  machineId: MachineId,
  name: Name,
  address: Ipv4,
  address6: Ipv6,
  /** Null until the machine has said hello to the mesh for the first time. */
  publicKey: WireGuardPublicKey.nullable(),
  online: z.boolean(),
  lastSeenAt: z.iso.datetime().nullable(),
  /** The newest mesh revision that the machine says it has applied; null when it is not connected. */
  appliedRevision: z.number().int().nonnegative().nullable(),
  /** What the machine could not apply. Empty when it is in sync. */
  failures: z.array(StepFailure),
  joinedAt: z.iso.datetime(),
});
export type Member = z.infer<typeof Member>;
