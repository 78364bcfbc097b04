// What both ends of a watcher's socket must agree on.

/** Machines whose telemetry one socket may watch, and peers of each that it may have explained. */
export const MAX_WATCHED_MACHINES = 4;
export const MAX_EXPLAINED_PEERS = 4;
/** Machines that one change names; when there are more, it names none and means all. */
export const MAX_NAMED_MACHINES = 32;
/** Telemetry flows for this long after the newest live.watch, … */
export const WATCH_LEASE_MS = 30_000;
/** … which is therefore said again this often. */
export const WATCH_RENEW_MS = 10_000;
/** Frames of telemetry that a watcher has not said it has seen: then it gets no more until it has. Twice what comes of MAX_WATCHED_MACHINES meanwhile. */
export const MAX_UNSEEN_FRAMES = 80;
/** One message from a watcher, bytes of JSON. */
export const MAX_WATCHER_MESSAGE_BYTES = 4 * 1024;
