// Every operation of schema/api, found rather than listed, so that a new one is tested without being remembered.
import * as apiTokens from "#schema/api/api-tokens";
import * as auditEvents from "#schema/api/audit-events";
import * as joinTokens from "#schema/api/join-tokens";
import * as machineLinks from "#schema/api/machine-links";
import * as machineRouting from "#schema/api/machine-routing";
import * as machines from "#schema/api/machines";
import * as members from "#schema/api/members";
import * as meshes from "#schema/api/meshes";
import type { Operation } from "#schema/api/operation";
import * as policySets from "#schema/api/policy-sets";
import * as rollouts from "#schema/api/rollouts";
import * as routes from "#schema/api/routes";
import * as signIn from "#schema/api/sign-in";
import * as users from "#schema/api/users";
import * as vips from "#schema/api/vips";

const RESOURCES: readonly Readonly<Record<string, unknown>>[] = [
  apiTokens,
  auditEvents,
  joinTokens,
  machineLinks,
  machineRouting,
  machines,
  members,
  meshes,
  policySets,
  rollouts,
  routes,
  signIn,
  users,
  vips,
];

export const ALL_OPERATIONS: readonly Operation[] = RESOURCES.flatMap((resource) =>
  Object.values(resource).filter(isOperation),
);

/** Valid, of something that is not there. */
export const UNKNOWN_IDS: Readonly<Record<string, string>> = {
  meshId: "msh_01arz3ndektsv4rrffq69g5fav",
  machineId: "mch_01arz3ndektsv4rrffq69g5fav",
  peerId: "mch_01arz3ndektsv4rrffq69g5faw",
  joinTokenId: "jtk_01arz3ndektsv4rrffq69g5fav",
  apiTokenId: "atk_01arz3ndektsv4rrffq69g5fav",
  routeId: "rt_01arz3ndektsv4rrffq69g5fav",
  userId: "usr_01arz3ndektsv4rrffq69g5fav",
  sessionId: "ses_01arz3ndektsv4rrffq69g5fav",
  vipId: "vip_01arz3ndektsv4rrffq69g5fav",
  policySetId: "pol_01arz3ndektsv4rrffq69g5fav",
  rolloutId: "rol_01arz3ndektsv4rrffq69g5fav",
};

function isOperation(value: unknown): value is Operation {
  return typeof value === "object" && value !== null && "path" in value && "method" in value && "role" in value;
}
