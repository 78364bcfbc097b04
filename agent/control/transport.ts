// One way to exchange messages with one object. A WebSocket and long-poll are the two; both keep the same contract (transport.contract.ts).
import type { Result } from "#schema/result";
import type { ApiFailure } from "./api-failure.ts";
import type { Query } from "./machine-api.ts";

/** What a link talks to, and how it introduces itself. */
export interface LinkTarget {
  /** Path of the object's sync endpoint. */
  readonly path: string;
  /** The first message of a connection. */
  greet(): object;
  /** Where the link stands, for a long-poll. */
  pollQuery(): Query;
}

export interface ChannelEvents {
  /** Any JSON value, as yet unchecked. */
  readonly onMessage: (message: unknown) => void;
  /** The connection ended by itself: exactly once, and nothing comes after. Not called after `close`. */
  readonly onEnd: (end: LinkEnd) => void;
}

export interface Channel {
  /** Events come from here on; what arrived before is kept until then. Called once. */
  listen(events: ChannelEvents): void;
  /** Sends, or drops the message when the connection is ending: what matters is said again on the next one. */
  send(message: object): void;
  /** Something may have broken it: find out soon, and end if it is so. */
  probe(): void;
  close(): void;
}

export interface Transport {
  readonly name: "websocket" | "long-poll";
  /** Opens and greets. Rejects only when `signal` aborts; from then on the channel is ended by its `close`. */
  open(target: LinkTarget, signal: AbortSignal): Promise<Result<Channel, LinkEnd>>;
}

/** Why there is no connection, and what that means for the next one. */
export type LinkEnd =
  /** Nothing answered, or the connection broke. */
  | { readonly code: "network"; readonly message: string }
  /** An answer that Becket's control plane does not give: a proxy that knows no WebSockets, a portal. */
  | { readonly code: "foreign"; readonly message: string; readonly retryAfterMs: number | null }
  /** Asked to come back later. */
  | { readonly code: "busy"; readonly message: string; readonly retryAfterMs: number | null }
  /** It did not accept the machine's token or a message: trying again soon won't help, later may. */
  | { readonly code: "rejected"; readonly problem: string; readonly message: string }
  /** Not, or no longer, in this mesh. */
  | { readonly code: "removed"; readonly message: string }
  /** The machine itself was removed. */
  | { readonly code: "machine_removed"; readonly message: string }
  /** Another instance of this machine connected: it was copied. */
  | { readonly code: "replaced"; readonly message: string }
  /** A deployment that goes back or forward may cure it, or a newer agent. */
  | { readonly code: "wire_version"; readonly message: string };

/** Its tunnels stay: the control plane may come back as it was. */
const UNKNOWN_MACHINE =
  "the control plane does not know this machine: it was restored from a backup of before the machine enrolled, or is another one. To enrol it anew: `becket down --forget`, then start it with a new join token (machine_not_found)";
const REMOVED_PROBLEMS = new Set(["not_a_member", "mesh_not_found", "member_not_found"]);

export function toLinkEnd(failure: ApiFailure): LinkEnd {
  const { message } = failure;
  if (failure.code === "network") return { code: "network", message };
  const { retryAfterMs, status } = failure;
  if (failure.code === "foreign") return { code: "foreign", message, retryAfterMs };
  const { problem } = failure;
  if (problem === "machine_removed") return { code: "machine_removed", message };
  if (REMOVED_PROBLEMS.has(problem)) return { code: "removed", message };
  if (problem === "wire_version_unsupported") return { code: "wire_version", message };
  if (status >= 500 || status === 429) return { code: "busy", message, retryAfterMs };
  return { code: "rejected", problem, message: problem === "machine_not_found" ? UNKNOWN_MACHINE : message };
}
