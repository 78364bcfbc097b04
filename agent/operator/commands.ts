// Every operation of the API that has a command: `becket NOUN VERB`. What it takes and prints comes from the operation itself.
import { createApiToken, listApiTokens, revokeApiToken } from "#schema/api/api-tokens";
import { listAuditEvents } from "#schema/api/audit-events";
import { createJoinToken, listJoinTokens, revokeJoinToken } from "#schema/api/join-tokens";
import {
  explainMachinePeer,
  getMachineNetwork,
  listMachineEndpoints,
  listMachineEvents,
  listMachinePeers,
} from "#schema/api/machine-links";
import { getMachineRib, listMachineAnnouncements } from "#schema/api/machine-routing";
import { deleteMachine, getMachine, listMachines, rotateMachineKeys, updateMachine } from "#schema/api/machines";
import { addMember, getMember, listMembers, removeMember } from "#schema/api/members";
import { createMesh, deleteMesh, getMesh, listMeshes, rotateRelayKey, updateMesh } from "#schema/api/meshes";
import type { Operation } from "#schema/api/operation";
import {
  createPolicySet,
  deletePolicySet,
  getPolicySet,
  listPolicySets,
  testPolicySet,
  updatePolicySet,
} from "#schema/api/policy-sets";
import {
  cancelRollout,
  getRollout,
  listRolloutMachines,
  listRollouts,
  pauseRollout,
  resumeRollout,
  startRollout,
} from "#schema/api/rollouts";
import { createRoute, deleteRoute, getRoute, listRoutes, updateRoute } from "#schema/api/routes";
import { createLoginLink, getMe } from "#schema/api/sign-in";
import { listSessions, listUsers, removeUser, revokeSession, updateUser } from "#schema/api/users";
import { createVip, deleteVip, getVip, listVips, updateVip } from "#schema/api/vips";
import type { Noun } from "./nouns.ts";

export interface Verb {
  readonly operation: Operation;
  /** Fields of a list's items that people see, in this order; programs take --json. */
  readonly columns?: readonly string[];
}

export const COMMANDS: Readonly<Record<Noun, Readonly<Record<string, Verb>>>> = {
  mesh: {
    list: { operation: listMeshes, columns: ["name", "cidr", "cidr6", "asn", "isDefault", "fallback", "id"] },
    create: { operation: createMesh },
    show: { operation: getMesh },
    update: { operation: updateMesh },
    "rotate-relay-key": { operation: rotateRelayKey },
    delete: { operation: deleteMesh },
  },
  machine: {
    list: {
      operation: listMachines,
      columns: ["name", "online", "lastSeenAt", "meshes", "gateway", "upToDate", "tags", "id"],
    },
    show: { operation: getMachine },
    update: { operation: updateMachine },
    "rotate-keys": { operation: rotateMachineKeys },
    delete: { operation: deleteMachine },
    peers: {
      operation: listMachinePeers,
      columns: ["name", "status", "path", "latencyMs", "lossRatio", "handshakeAgeSeconds", "reason"],
    },
    explain: { operation: explainMachinePeer },
    endpoints: {
      operation: listMachineEndpoints,
      columns: ["address", "type", "observedBy", "firstSeen", "lastSeen"],
    },
    network: { operation: getMachineNetwork },
    rib: {
      operation: getMachineRib,
      columns: ["prefix", "nextHop", "origin", "asPath", "localPreference", "isBest", "filterReason"],
    },
    announcements: {
      operation: listMachineAnnouncements,
      columns: ["name", "kind", "prefixes", "status", "isAnnounced", "since", "reason"],
    },
    events: { operation: listMachineEvents, columns: ["at", "kind", "path", "peerId", "reason"] },
  },
  rollout: {
    list: { operation: listRollouts, columns: ["createdAt", "state", "build", "atOnce", "counts", "startedBy", "id"] },
    start: { operation: startRollout },
    status: { operation: getRollout },
    machines: { operation: listRolloutMachines, columns: ["name", "state", "away", "at", "detail"] },
    pause: { operation: pauseRollout },
    resume: { operation: resumeRollout },
    cancel: { operation: cancelRollout },
  },
  member: {
    list: { operation: listMembers, columns: ["name", "address", "address6", "online", "lastSeenAt", "machineId"] },
    add: { operation: addMember },
    show: { operation: getMember },
    remove: { operation: removeMember },
  },
  route: {
    list: {
      operation: listRoutes,
      columns: ["name", "prefixes", "machineIds", "heldBy", "enabled", "healthCheck", "id"],
    },
    create: { operation: createRoute },
    show: { operation: getRoute },
    update: { operation: updateRoute },
    delete: { operation: deleteRoute },
  },
  vip: {
    list: {
      operation: listVips,
      columns: ["name", "address", "address6", "machineIds", "heldBy", "enabled", "healthCheck", "id"],
    },
    create: { operation: createVip },
    show: { operation: getVip },
    update: { operation: updateVip },
    delete: { operation: deleteVip },
  },
  "policy-set": {
    list: { operation: listPolicySets, columns: ["name", "description", "defaultAction", "rules", "id"] },
    create: { operation: createPolicySet },
    show: { operation: getPolicySet },
    update: { operation: updatePolicySet },
    delete: { operation: deletePolicySet },
    test: { operation: testPolicySet },
  },
  token: {
    list: { operation: listJoinTokens, columns: ["id", "status", "expiresAt", "uses", "maxUses", "meshIds", "tags"] },
    create: { operation: createJoinToken },
    revoke: { operation: revokeJoinToken },
  },
  "api-token": {
    list: { operation: listApiTokens, columns: ["name", "role", "expiresAt", "createdAt", "id"] },
    create: { operation: createApiToken },
    revoke: { operation: revokeApiToken },
  },
  user: {
    list: { operation: listUsers, columns: ["name", "email", "role", "isBlocked", "lastSignInAt", "id"] },
    update: { operation: updateUser },
    remove: { operation: removeUser },
    link: { operation: createLoginLink },
  },
  session: {
    list: { operation: listSessions, columns: ["id", "user", "createdAt", "lastUsedAt", "expiresAt"] },
    revoke: { operation: revokeSession },
  },
  audit: {
    list: { operation: listAuditEvents, columns: ["at", "action", "actor", "details", "subjectId"] },
  },
  me: { show: { operation: getMe } },
};

/** Operations that are for browsers. */
export const WITHOUT_COMMAND: readonly string[] = ["getSignInOptions", "signInByLink", "signOut", "watchMesh"];
