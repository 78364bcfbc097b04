import * as operations from "#schema/api/members";
import { addMember } from "../members/add-member.ts";
import { listMembers, readMember } from "../members/read-members.ts";
import { removeMember } from "../members/remove-member.ts";
import type { Services } from "../services.ts";
import type { Mount } from "./api.ts";

export function mountMembers(mount: Mount, services: Services): void {
  mount(operations.listMembers, ({ params, query }) => listMembers(services, params.meshId, query));
  mount(operations.addMember, ({ params, body, cause }) =>
    addMember(services, { meshId: params.meshId, request: body, cause }),
  );
  mount(operations.getMember, ({ params }) => readMember(services, params.meshId, params.machineId));
  mount(operations.removeMember, ({ params, cause }) => removeMember(services, { ...params, cause }));
}
