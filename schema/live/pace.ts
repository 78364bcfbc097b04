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
/** Frames that a watcher has not said it has seen, and their characters: then it gets no more until it has. */
export const MAX_UNSEEN_FRAMES = 80;
/** About as much as one machine of 500 peers tells in ten seconds. */
export const MAX_UNSEEN_CHARACTERS = 2_000_000;
/** A watcher says what it has seen with each live.watch, and after this many frames or characters at the latest. */
export const SAY_SEEN_AFTER_FRAMES = MAX_UNSEEN_FRAMES / 4;
export const SAY_SEEN_AFTER_CHARACTERS = MAX_UNSEEN_CHARACTERS / 2;
/** One message from a watcher, bytes of JSON. */
export const MAX_WATCHER_MESSAGE_BYTES = 4 * 1024;
