// The truth of D1: what spans meshes. Times are milliseconds since the epoch. migrations/ is generated from here and read by a person.
// Additive changes only, and no foreign keys with ON DELETE CASCADE: a table rebuild would delete the children silently.
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Ipv4, Ipv6, Ipv6Cidr } from "#schema/address";
import type {
  ApiTokenId,
  IdentityPublicKey,
  JoinTokenId,
  LoginLinkId,
  MachineId,
  MeshId,
  PolicySetId,
  RolloutId,
  SessionId,
  UserId,
} from "#schema/ids";
import type { BuildSha256 } from "#schema/machine";
import type { Fallback, MeshCidr } from "#schema/mesh";
import type { RolloutMachineState, RolloutState } from "#schema/rollout";

export const policySets = sqliteTable(
  "policy_sets",
  {
    id: text("id").$type<PolicySetId>().primaryKey(),
    name: text("name").notNull(),
    description: text("description").notNull(),
    defaultAction: text("default_action", { enum: ["accept", "reject"] }).notNull(),
    defaultLocalPreference: integer("default_local_preference"),
    /** JSON array of NamedPolicyRule. */
    rules: text("rules").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [uniqueIndex("policy_sets_name_unique").on(table.name)],
);

/** References, so that no set goes while something uses it, and nothing uses one that is not there. */
const usedPolicySets = () => ({
  importPolicySetId: text("import_policy_set_id")
    .$type<PolicySetId>()
    .references(() => policySets.id),
  exportPolicySetId: text("export_policy_set_id")
    .$type<PolicySetId>()
    .references(() => policySets.id),
});

export const meshes = sqliteTable(
  "meshes",
  {
    id: text("id").$type<MeshId>().primaryKey(),
    name: text("name").notNull(),
    cidr: text("cidr").$type<MeshCidr>().notNull(),
    cidr6: text("cidr6").$type<Ipv6Cidr>().notNull(),
    asn: integer("asn").notNull(),
    isDefault: integer("is_default", { mode: "boolean" }).notNull().default(false),
    createdAt: integer("created_at").notNull(),
    /** Projected by the Mesh object, so that no list counts rows. */
    memberCount: integer("member_count").notNull().default(0),
    /** The mesh revision that the count is of: an older one that arrives late changes nothing. */
    memberCountRevision: integer("member_count_revision").notNull().default(0),
    fallback: text("fallback").$type<Fallback>().notNull().default("relay"),
    /** Projected by the Mesh object: each VIP takes an address of the mesh. */
    vipCount: integer("vip_count").notNull().default(0),
    vipCountRevision: integer("vip_count_revision").notNull().default(0),
    /** Projected by the Mesh object, which ends it with the last gateway; so is how many gateways there are. */
    routeReflectorMode: integer("route_reflector_mode", { mode: "boolean" }).notNull().default(false),
    gatewayCount: integer("gateway_count").notNull().default(0),
    routingRevision: integer("routing_revision").notNull().default(0),
    ...usedPolicySets(),
    keyRotationDays: integer("key_rotation_days"),
  },
  (table) => [
    uniqueIndex("meshes_name_unique").on(table.name),
    uniqueIndex("meshes_asn_unique").on(table.asn),
    uniqueIndex("meshes_one_default").on(table.isDefault).where(sql`is_default = 1`),
  ],
);

export const machines = sqliteTable(
  "machines",
  {
    id: text("id").$type<MachineId>().primaryKey(),
    name: text("name").notNull(),
    identityKey: text("identity_key").$type<IdentityPublicKey>().notNull(),
    /** JSON of AgentInfo; null until the machine told it. */
    agent: text("agent"),
    /** The join token it enrolled with last: the same token again is a repeated request, not a second use. */
    joinTokenId: text("join_token_id").$type<JoinTokenId>(),
    /** Null while its enrolment is not finished: a repeated request goes on from there. Later repeats join nothing again. */
    enrolledAt: integer("enrolled_at"),
    createdAt: integer("created_at").notNull(),
    isGateway: integer("is_gateway", { mode: "boolean" }).notNull().default(false),
    ...usedPolicySets(),
    /** JSON array of tags. */
    tags: text("tags").notNull().default("[]"),
    /** Null: since it was created. */
    identityKeySince: integer("identity_key_since"),
    /** Still taken for a moment after that; null: there was none. */
    formerIdentityKey: text("former_identity_key").$type<IdentityPublicKey>(),
  },
  (table) => [
    uniqueIndex("machines_name_unique").on(table.name),
    uniqueIndex("machines_identity_key_unique").on(table.identityKey),
    // Few machines have one: those that have none are in neither.
    index("machines_gateways").on(table.id).where(sql`is_gateway = 1`),
    index("machines_import_policy_set_id").on(table.importPolicySetId).where(sql`import_policy_set_id is not null`),
    index("machines_export_policy_set_id").on(table.exportPolicySetId).where(sql`export_policy_set_id is not null`),
  ],
);

/** Identities that were revoked, for good: they are told so, where an unknown machine is told that it is unknown. */
export const removedMachines = sqliteTable(
  "removed_machines",
  {
    id: text("id").$type<MachineId>().primaryKey(),
    identityKey: text("identity_key").$type<IdentityPublicKey>().notNull(),
    removedAt: integer("removed_at").notNull(),
  },
  (table) => [uniqueIndex("removed_machines_identity_key_unique").on(table.identityKey)],
);

/** Projected by the Mesh objects, which are the truth. A row's revision guards it against an older write that arrives late. */
export const memberships = sqliteTable(
  "memberships",
  {
    meshId: text("mesh_id").$type<MeshId>().notNull(),
    machineId: text("machine_id").$type<MachineId>().notNull(),
    address: text("address").$type<Ipv4>().notNull(),
    address6: text("address6").$type<Ipv6>().notNull(),
    revision: integer("revision").notNull(),
    joinedAt: integer("joined_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.machineId, table.meshId] }),
    index("memberships_mesh_id").on(table.meshId, table.machineId),
  ],
);

export const joinTokens = sqliteTable(
  "join_tokens",
  {
    id: text("id").$type<JoinTokenId>().primaryKey(),
    /** SHA-256 of the token, base64url. The token itself is not stored. */
    tokenHash: text("token_hash").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** Null: no limit. */
    maxUses: integer("max_uses"),
    uses: integer("uses").notNull().default(0),
    /** JSON array of mesh ids; null: the default mesh at the time of enrolment. */
    meshIds: text("mesh_ids"),
    revokedAt: integer("revoked_at"),
    createdAt: integer("created_at").notNull(),
    /** JSON array: what new machines get. */
    tags: text("tags").notNull().default("[]"),
  },
  (table) => [uniqueIndex("join_tokens_token_hash_unique").on(table.tokenHash)],
);

export const apiTokens = sqliteTable(
  "api_tokens",
  {
    id: text("id").$type<ApiTokenId>().primaryKey(),
    name: text("name").notNull(),
    /** SHA-256 of the token, base64url. The token itself is not stored. */
    tokenHash: text("token_hash").notNull(),
    role: text("role", { enum: ["owner", "admin", "viewer"] }).notNull(),
    expiresAt: integer("expires_at").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [uniqueIndex("api_tokens_token_hash_unique").on(table.tokenHash)],
);

export const users = sqliteTable(
  "users",
  {
    id: text("id").$type<UserId>().primaryKey(),
    /** Who knows the person: an OpenID provider's issuer, or LINK_ISSUER. With `subject` it is the identity, and never changes. */
    issuer: text("issuer").notNull(),
    /** The provider's `sub`; of users that links are made for, the name in lower case. */
    subject: text("subject").notNull(),
    name: text("name").notNull(),
    email: text("email"),
    role: text("role", { enum: ["owner", "admin", "viewer"] }).notNull(),
    isBlocked: integer("is_blocked", { mode: "boolean" }).notNull().default(false),
    createdAt: integer("created_at").notNull(),
    lastSignInAt: integer("last_sign_in_at"),
  },
  (table) => [uniqueIndex("users_identity_unique").on(table.issuer, table.subject)],
);

export const sessions = sqliteTable(
  "sessions",
  {
    id: text("id").$type<SessionId>().primaryKey(),
    /** SHA-256 of the cookie's value, base64url. The value itself is not stored. */
    tokenHash: text("token_hash").notNull(),
    userId: text("user_id").$type<UserId>().notNull(),
    signedInBy: text("signed_in_by", { enum: ["oidc", "link"] }).notNull(),
    userAgent: text("user_agent"),
    createdAt: integer("created_at").notNull(),
    /** Written at most every ten minutes. */
    lastUsedAt: integer("last_used_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    uniqueIndex("sessions_token_hash_unique").on(table.tokenHash),
    index("sessions_user_id").on(table.userId, table.id),
    index("sessions_expires_at").on(table.expiresAt),
  ],
);

/** One-time sign-in links that nobody used yet. */
export const loginLinks = sqliteTable(
  "login_links",
  {
    id: text("id").$type<LoginLinkId>().primaryKey(),
    /** SHA-256 of the token, base64url. The token itself is not stored. */
    tokenHash: text("token_hash").notNull(),
    userId: text("user_id").$type<UserId>().notNull(),
    expiresAt: integer("expires_at").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    uniqueIndex("login_links_token_hash_unique").on(table.tokenHash),
    index("login_links_expires_at").on(table.expiresAt),
  ],
);

export const auditEvents = sqliteTable(
  "audit_events",
  {
    id: text("id").primaryKey(),
    at: integer("at").notNull(),
    actorKind: text("actor_kind").notNull(),
    actorId: text("actor_id"),
    actorName: text("actor_name").notNull(),
    action: text("action").notNull(),
    subjectId: text("subject_id").notNull(),
    meshId: text("mesh_id"),
    /** JSON object. */
    details: text("details").notNull(),
    requestId: text("request_id").notNull(),
  },
  (table) => [
    index("audit_events_action").on(table.action, table.id),
    index("audit_events_actor_id").on(table.actorId, table.id),
    index("audit_events_mesh_id").on(table.meshId, table.id),
    index("audit_events_subject_id").on(table.subjectId, table.id),
  ],
);

export const rollouts = sqliteTable(
  "rollouts",
  {
    id: text("id").$type<RolloutId>().primaryKey(),
    buildVersion: text("build_version").notNull(),
    buildSha256: text("build_sha256").$type<BuildSha256>().notNull(),
    atOnce: integer("at_once").notNull(),
    state: text("state").$type<RolloutState>().notNull(),
    /** True while it is running or paused: there is one at most. */
    isOpen: integer("is_open", { mode: "boolean" }).notNull().default(true),
    /** Why it is paused. */
    reason: text("reason"),
    startedBy: text("started_by").notNull(),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
  },
  (table) => [uniqueIndex("rollouts_one_open").on(table.isOpen).where(sql`is_open = 1`)],
);

/** The machines of a roll-out. Written by the Machine objects once it runs: each of them its own row. */
export const rolloutMachines = sqliteTable(
  "rollout_machines",
  {
    rolloutId: text("rollout_id").$type<RolloutId>().notNull(),
    machineId: text("machine_id").$type<MachineId>().notNull(),
    /** As it was at the start: a machine that was removed has none. */
    name: text("name").notNull(),
    state: text("state").$type<RolloutMachineState>().notNull(),
    /** It waits and is not connected: passed over until it says hello. */
    isAway: integer("is_away", { mode: "boolean" }).notNull().default(false),
    /** Of one that was skipped a SkipReason, or a sentence from before there were those; of others a sentence. */
    detail: text("detail"),
    at: integer("at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.rolloutId, table.machineId] }),
    index("rollout_machines_state").on(table.rolloutId, table.state, table.isAway, table.machineId),
  ],
);

/** Answers of creates, kept 24 h for repeated requests. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** Hash over the caller's token and the key that the caller sent. */
    keyHash: text("key_hash").primaryKey(),
    /** Hash over method, path and body: the same key may not mean another request. */
    requestHash: text("request_hash").notNull(),
    /** Who holds the row while the request runs; a finished row keeps it. */
    claimId: text("claim_id").notNull(),
    /** Until then an unfinished row means "in progress"; afterwards its request is taken for lost. */
    claimedUntil: integer("claimed_until").notNull(),
    /** The answer, sealed with a key that only the caller's token gives (it may hold a token shown once); null while in progress. */
    sealedAnswer: text("sealed_answer"),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("idempotency_keys_expires_at").on(table.expiresAt)],
);
