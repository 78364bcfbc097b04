// Changes to the peers of a device, and the `wg set` arguments that make them.
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";

export interface PeerSettings {
  readonly publicKey: WireGuardPublicKey;
  readonly allowedIps: readonly string[];
  readonly endpoint: Endpoint | null;
  /** 0 is off. */
  readonly keepaliveSeconds: number;
}

export type ChangedSettings = Pick<PeerSettings, "publicKey"> & Partial<PeerSettings>;

export type PeerChange = { readonly reason: string } & (
  | { readonly kind: "add"; readonly peer: PeerSettings }
  /** Only what differs; the session goes on. */
  | ({ readonly kind: "update" } & ChangedSettings)
  /**
   * Removed and added in one go, so that WireGuard starts a new handshake at once. Only for a peer without a session: it never had
   * one (a nudge, the same peer tried again), or it has lost it (it begins anew).
   */
  | { readonly kind: "recreate"; readonly peer: PeerSettings; readonly isNudge: boolean }
  | { readonly kind: "remove"; readonly publicKey: WireGuardPublicKey }
);

/** Linux takes 2 MB of arguments (a quarter of the stack limit, execve(2)); 250 peers are about 40 KB. */
const MAX_ARGUMENT_CHARS = 64 * 1024;

/** The arguments of as few `wg set` as hold the changes, in a safe order. */
export function renderPeerChanges(changes: readonly PeerChange[]): string[][] {
  const batches: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const change of inSafeOrder(changes)) {
    const args = renderPeerChange(change);
    const argsLength = args.reduce((sum, arg) => sum + arg.length + 1, 0);
    if (length + argsLength > MAX_ARGUMENT_CHARS) {
      batches.push([]);
      length = 0;
    }
    batches.at(-1)?.push(...args);
    length += argsLength;
  }
  return batches;
}

/**
 * An order that keeps traffic flowing: an allowed IP that is given to a peer leaves its former one in the same instant, so peers are added
 * and changed first and removed last.
 */
export const inSafeOrder = (changes: readonly PeerChange[]): PeerChange[] => [
  ...changes.filter(({ kind }) => kind !== "remove"),
  ...changes.filter(({ kind }) => kind === "remove"),
];

function renderPeerChange(change: PeerChange): string[] {
  switch (change.kind) {
    case "add":
      return renderSettings(change.peer);
    case "recreate":
      return ["peer", change.peer.publicKey, "remove", ...toRecreated(change).flatMap(renderSettings)];
    case "update":
      return renderSettings(change);
    case "remove":
      return ["peer", change.publicKey, "remove"];
  }
}

/** A keepalive that is switched on makes WireGuard send at once; where none is wanted, it goes again in the same command. */
export function toRecreated({ peer, isNudge }: Extract<PeerChange, { kind: "recreate" }>): ChangedSettings[] {
  const { publicKey, keepaliveSeconds } = peer;
  if (!isNudge || keepaliveSeconds > 0) return [peer];
  return [
    { ...peer, keepaliveSeconds: 1 },
    { publicKey, keepaliveSeconds },
  ];
}

function renderSettings(settings: ChangedSettings): string[] {
  const { publicKey, endpoint = null, keepaliveSeconds, allowedIps } = settings;
  return [
    "peer",
    publicKey,
    ...(endpoint === null ? [] : ["endpoint", endpoint]),
    ...(keepaliveSeconds === undefined ? [] : ["persistent-keepalive", String(keepaliveSeconds)]),
    ...(allowedIps === undefined ? [] : ["allowed-ips", allowedIps.join(",")]),
  ];
}
