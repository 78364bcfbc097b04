import { z } from "zod";
import { MachineId } from "../ids.ts";
import { KeyReplacement, Machine, machinePolicySets } from "../machine.ts";
import { Name } from "../mesh.ts";
import { Tag, Tags } from "../tag.ts";
import { Timestamp } from "../timestamp.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "machines";
const params = z.object({ machineId: MachineId });

export const UpdateMachine = z
  .object({
    name: Name.optional(),
    gateway: z
      .boolean()
      .optional()
      .meta({
        description:
          "True: it joins the meshes that it is in, so their members reach each other through it, and it passes on routes; and it may forward, and so decrypt, for pairs that have no direct path, in meshes whose `fallback` allows transit.",
        examples: [true],
      }),
    tags: Tags.optional().describe("All that it shall have: they are replaced as a whole."),
    importPolicySetId: machinePolicySets.importPolicySetId.optional(),
    exportPolicySetId: machinePolicySets.exportPolicySetId.optional(),
  })
  .meta({ id: "UpdateMachine", description: "What is left out stays." });
export type UpdateMachine = z.infer<typeof UpdateMachine>;

export const RotateKeys = z
  .object({
    keysMadeBefore: Timestamp.optional().describe(
      "Keys made before this are replaced; a time that is to come counts as now, and so does none.",
    ),
    force: KeyReplacement.shape.force.default(false),
  })
  .meta({ id: "RotateKeys", description: "Which keys are replaced, and whether anybody is waited for." });
export type RotateKeys = z.infer<typeof RotateKeys>;

export const listMachines = defineOperation({
  id: "listMachines",
  tag,
  method: "get",
  path: "/machines",
  summary: "List machines",
  role: "viewer",
  query: PageQuery.extend({ tag: Tag.optional().describe("Only machines with this tag.") }),
  status: 200,
  reply: pageOf(Machine, "MachinePage"),
  errors: ["cursor_invalid"],
});
export const getMachine = defineOperation({
  id: "getMachine",
  tag,
  method: "get",
  path: "/machines/{machineId}",
  summary: "Read a machine",
  role: "viewer",
  params,
  status: 200,
  reply: Machine,
  errors: ["machine_not_found"],
});
export const updateMachine = defineOperation({
  id: "updateMachine",
  tag,
  method: "patch",
  path: "/machines/{machineId}",
  summary: "Change a machine",
  description: "Its name, its tags, whether it is a gateway, and its policy sets.",
  role: "admin",
  params,
  body: UpdateMachine,
  status: 200,
  reply: Machine,
  errors: ["machine_not_found", "name_taken", "cidr_overlap", "policy_set_not_found", "limit_reached"],
});
export const rotateMachineKeys = defineOperation({
  id: "rotateMachineKeys",
  tag,
  method: "post",
  path: "/machines/{machineId}/rotate-keys",
  summary: "Replace a machine's keys",
  description:
    "The machine makes a new WireGuard key in each mesh that it is in, as soon as it is connected. Packets wait for the moment that it takes, and none " +
    "is lost. It makes a new identity key, with which it signs its requests, too; the former one is taken for two minutes more. `keySince` of its " +
    "members and its own `identityKeySince` tell when it did; while it waits for somebody, a failure of the member with the code `waits_for_peers` says " +
    "for whom. With the same `keysMadeBefore`, the same request changes nothing.",
  role: "admin",
  params,
  body: RotateKeys,
  status: 200,
  reply: KeyReplacement,
  errors: ["machine_not_found"],
});
export const deleteMachine = defineOperation({
  id: "deleteMachine",
  tag,
  method: "delete",
  path: "/machines/{machineId}",
  summary: "Remove a machine",
  description: "It leaves every mesh at once, and its identity is never taken again.",
  role: "admin",
  params,
  status: 204,
  errors: ["machine_not_found"],
});
