// Limits that both ends must agree on.

/** A machine or mesh name, the way people type it: a DNS label (RFC 1123). */
export const MAX_NAME_LENGTH = 63;
/** Endpoints one member may offer; more are refused so that a delta stays small. */
export const MAX_ENDPOINTS_PER_MEMBER = 16;
/** One message or body from a machine, bytes of JSON. */
export const MAX_MACHINE_MESSAGE_BYTES = 64 * 1024;
/** One API request body, bytes. */
export const MAX_API_BODY_BYTES = 64 * 1024;
/** Below this an owner's token can be guessed; such a one is not accepted at all. */
export const MIN_OWNER_TOKEN_LENGTH = 16;
/** Longest hold of a long-poll, seconds. Under the 30 s that proxies commonly cut at. */
export const MAX_POLL_WAIT_SECONDS = 25;
/** A machine token lives at most this long, seconds. */
export const MAX_MACHINE_TOKEN_SECONDS = 60;
/** A machine counts as online when it was seen within this time. */
export const ONLINE_WITHIN_MS = 60_000;
/** Text ping on every socket, answered by the runtime without waking the object. */
export const PING_INTERVAL_MS = 30_000;
/** Application heartbeat on a Mesh object's socket: carries the revision and is answered by the object itself. */
export const MESH_HEARTBEAT_INTERVAL_MS = 180_000;
/** Application heartbeat on a Machine object's socket. */
export const MACHINE_HEARTBEAT_INTERVAL_MS = 600_000;
/** An address stays unused this long after its member left, unless the pool is dry. */
export const ADDRESS_QUARANTINE_MS = 24 * 3_600_000;
/** Removals remembered for delta sync; older positions get a snapshot. */
export const MAX_TOMBSTONES = 4_096;
/** Up to this many members every pair of a mesh is kept warm. */
export const EAGER_MEMBERS = 64;
/** From here on, members of a mesh are many: route reflector mode is advised. */
export const MANY_MEMBERS = 250;
/** Gateways that a member names when it asks for transit. */
export const MAX_GATEWAYS_NAMED = 16;
/** STUN servers that machines are told. */
export const MAX_STUN_SERVERS = 8;
/** Changes of links in one report. */
export const MAX_LINK_REPORTS = 64;
/** Link events are kept this long, and at most this many of a mesh and of a member there. */
export const LINK_EVENT_DAYS = 30;
export const MAX_LINK_EVENTS = 50_000;
export const MAX_MEMBER_LINK_EVENTS = 2_000;
export const MAX_TAGS_PER_MACHINE = 16;
/** Routes of a mesh; VIPs of a mesh. With the next two they bound what a snapshot of the mesh says of them. */
export const MAX_ROUTES_PER_MESH = 256;
export const MAX_VIPS_PER_MESH = 256;
export const MAX_PREFIXES_PER_ROUTE = 64;
/** Machines that announce one route or hold one VIP. */
export const MAX_MACHINES_PER_ANNOUNCEMENT = 64;
/** Characters of a health check's target; arguments of its command, the program included, and characters of each. */
export const MAX_CHECK_TARGET_LENGTH = 255;
export const MAX_CHECK_ARGUMENTS = 16;
export const MAX_CHECK_ARGUMENT_LENGTH = 256;
/** Rules of a policy set; with the next it bounds what each member of a mesh is told of one. */
export const MAX_RULES_PER_POLICY_SET = 64;
/** In all its rules together. */
export const MAX_PREFIXES_PER_POLICY_SET = 256;
export const MAX_COMMUNITIES_PER_RULE = 16;
export const MAX_AS_PATH_PATTERN_ITEMS = 16;
/** Of a route that a policy set is tried on. */
export const MAX_AS_PATH_LENGTH = 64;
export const MAX_PREPENDS = 10;
export const MAX_POLICY_DESCRIPTION_LENGTH = 200;
/** Meshes that one change of a policy set, or of a machine's, is told to: each costs two calls, of the 1,000 that a request of a Worker may make. */
export const MAX_MESHES_PER_POLICY_CHANGE = 256;
