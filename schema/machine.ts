// A machine as the control plane knows it, and its membership in a mesh.
import { z } from "zod";
import { Ipv4, Ipv6 } from "./address.ts";
import { MachineId, MeshId, PolicySetId, WireGuardPublicKey } from "./ids.ts";
import { Name } from "./mesh.ts";
import { NatSummary } from "./nat.ts";
import { toHarmless } from "./spoken-text.ts";
import { Tags } from "./tag.ts";
import { Timestamp } from "./timestamp.ts";

export const BuildSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hexadecimal")
  .meta({
    description: "The SHA-256 of an agent's program.",
    examples: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
  });
export type BuildSha256 = z.infer<typeof BuildSha256>;

export const AgentInfo = z
  .object({
    agentVersion: z
      .string()
      .max(32)
      .overwrite(toHarmless)
      .meta({ description: "Becket's version there.", examples: ["0.1.0"] }),
    nodeVersion: z
      .string()
      .max(32)
      .overwrite(toHarmless)
      .meta({ description: "The version of Node.js that runs it.", examples: ["v24.21.0"] }),
    kernelVersion: z
      .string()
      .max(128)
      .overwrite(toHarmless)
      .meta({ description: "As `uname -r` prints it.", examples: ["6.1.0-40-amd64"] }),
    wireguard: z.enum(["kernel", "wireguard-go", "missing"]).meta({
      description: "Where WireGuard runs: in the kernel, in the userspace process wireguard-go, or not at all.",
      examples: ["kernel"],
    }),
    buildSha256: BuildSha256.optional().describe(
      "The SHA-256 of its program; left out by an agent from before roll-outs.",
    ),
    allowsUpgrades: z
      .boolean()
      .optional()
      .meta({
        description:
          "Whether the machine lets the control plane upgrade its agent, and so gives it root there: `BECKET_ALLOW_UPGRADES=yes` in its own settings. Left out by an agent from before roll-outs.",
        examples: [true],
      }),
  })
  .meta({ id: "AgentInfo", description: "What an agent tells of the machine it runs on; written when it changes." });
export type AgentInfo = z.infer<typeof AgentInfo>;

export const StepFailure = z
  .object({
    step: z
      .string()
      .max(64)
      .overwrite(toHarmless)
      .meta({ description: "The step that failed.", examples: ["address.add"] }),
    code: z
      .string()
      .max(64)
      .overwrite(toHarmless)
      .meta({ description: "Why, for programs.", examples: ["command_failed"] }),
    message: z
      .string()
      .max(1_024)
      .overwrite(toHarmless)
      .meta({
        description: "Why, for people.",
        examples: ["ip address add: RTNETLINK answers: Permission denied"],
      }),
    since: Timestamp.max(32).describe("When it failed first."),
  })
  .meta({ id: "StepFailure", description: "A step that failed on the machine, kept until it succeeds." });
export type StepFailure = z.infer<typeof StepFailure>;

export const Membership = z
  .object({
    meshId: MeshId,
    meshName: Name.describe("The mesh's name."),
    address: Ipv4.describe("The machine's IPv4 address in the mesh."),
    address6: Ipv6.describe("The machine's IPv6 address in the mesh."),
  })
  .meta({ id: "Membership", description: "That a machine is in a mesh, seen from the machine." });
export type Membership = z.infer<typeof Membership>;

const online = z.boolean().meta({ description: "True when it was seen within the last 60 seconds.", examples: [true] });

export const machinePolicySets = {
  importPolicySetId: PolicySetId.nullable().describe(
    "The policy set that decides which of the routes that other members announce it takes; null: all.",
  ),
  exportPolicySetId: PolicySetId.nullable().describe(
    "The policy set that decides which of its routes it announces to other members, and how; null: all, as they are.",
  ),
};

export const Machine = z
  .object({
    id: MachineId,
    name: Name.meta({ description: "The machine's name, unique among machines.", examples: ["build-server"] }),
    online,
    lastSeenAt: Timestamp.nullable().describe("When it was last seen; null when that is not known."),
    gateway: z.boolean().meta({
      description:
        "It joins the meshes that it is in, passes on routes, and may forward for pairs that have no direct path, in meshes whose `fallback` allows transit.",
      examples: [false],
    }),
    tags: Tags.describe("Words that people put on it, in the order of the alphabet. `site:NAME` says where it is."),
    ...machinePolicySets,
    agent: AgentInfo.nullable().describe("What its agent tells of it; null before it has told."),
    upToDate: z
      .boolean()
      .nullable()
      .meta({
        description: "Whether its agent is the one that this control plane hands out; null when that is not known.",
        examples: [true],
      }),
    meshes: z.array(Membership).describe("The meshes it is in."),
    identityKeySince: Timestamp.describe("Since when it signs its requests with its identity key."),
    createdAt: Timestamp.describe("When it enrolled."),
  })
  .meta({ id: "Machine", description: "A Linux host with an agent and an identity key." });
export type Machine = z.infer<typeof Machine>;

export const Member = z
  .object({
    machineId: MachineId,
    name: Name.meta({ description: "The machine's name.", examples: ["build-server"] }),
    address: Ipv4.describe("Its IPv4 address in the mesh; it keeps it for as long as it stays."),
    address6: Ipv6.describe("Its IPv6 address in the mesh."),
    publicKey: WireGuardPublicKey.nullable().describe(
      "Its WireGuard public key in this mesh; null until the machine has said hello to the mesh for the first time.",
    ),
    keySince: Timestamp.nullable().describe("When it told of this key; null while it has none."),
    online,
    lastSeenAt: Timestamp.nullable().describe("When it was last seen in this mesh; null when it never was."),
    appliedRevision: z
      .number()
      .int()
      .nonnegative()
      .nullable()
      .meta({
        description:
          "The newest revision of the mesh that the machine says it has applied; null when it is not connected.",
        examples: [42],
      }),
    meshRevision: z
      .number()
      .int()
      .nonnegative()
      .meta({
        description:
          "The mesh's newest revision that members are told of: the changes since `appliedRevision` are on their way.",
        examples: [42],
      }),
    nat: NatSummary.nullable().describe("Its NAT, as it told last; null until it has."),
    failures: z.array(StepFailure).describe("What the machine could not apply; empty when it is in sync."),
    joinedAt: Timestamp.describe("When it came into the mesh."),
  })
  .meta({ id: "Member", description: "A machine in a mesh." });
export type Member = z.infer<typeof Member>;

/** What a person asked of a machine's keys. */
export const KeyReplacement = z
  .object({
    keysMadeBefore: Timestamp.describe(
      "The machine replaces each WireGuard key, and its identity key, that it made before this.",
    ),
    force: z.boolean().meta({
      description:
        "False: in each mesh the WireGuard key waits until every member that it has a session with is connected to the control plane, and so hears of the new key. True: it waits for nobody, and who isn't connected can't reach it until it is.",
      examples: [false],
    }),
  })
  .meta({ id: "KeyReplacement", description: "What a machine was told about its keys." });
export type KeyReplacement = z.infer<typeof KeyReplacement>;
