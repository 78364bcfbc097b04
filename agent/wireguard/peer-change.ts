// Changes to the peers of a device, the commands that make them, in an order that keeps traffic flowing, and these as arguments of `wg set`. Pure.
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";

export interface PeerSettings {
  readonly publicKey: WireGuardPublicKey;
  readonly allowedIps: readonly string[];
  readonly endpoint: Endpoint | null;
  /** 0 is off. */
  readonly keepaliveSeconds: number;
}

export interface ChangedSettings {
  readonly publicKey: WireGuardPublicKey;
  readonly endpoint?: Endpoint | null;
  readonly keepaliveSeconds?: number;
  readonly allowedIps?: MoreAllowedIps;
}

export interface MoreAllowedIps {
  /** Whoever has them loses them in the same instant. */
  readonly added: readonly string[];
  /** Everything that the peer has then, for tools that can only replace the whole list; what matters most first. */
  readonly all: readonly string[];
}

export type PeerChange = {
  readonly reason: string;
} /** `isAwake`: it shakes hands at once, whether somebody waits for it or not. */ & (
  | { readonly kind: "add"; readonly peer: PeerSettings; readonly isAwake?: true }
  /** Only what differs; the session goes on. */
  | ({ readonly kind: "update" } & ChangedSettings)
  /**
   * Removed and added in one go, so that WireGuard starts a new handshake at once. Only for a peer without a session: it never had
   * one (a nudge, the same peer tried again), or it has lost it (it begins anew).
   */
  | { readonly kind: "recreate"; readonly peer: PeerSettings; readonly isNudge: boolean }
  /** Allowed IPs that no peer shall have any more; their peers keep all others. */
  | { readonly kind: "withdraw"; readonly allowedIps: readonly string[] }
  | { readonly kind: "remove"; readonly publicKey: WireGuardPublicKey }
);

/** One thing that WireGuard is told of one peer. */
export interface PeerCommand {
  readonly publicKey: WireGuardPublicKey;
  readonly isRemoved?: true;
  readonly endpoint?: Endpoint | null;
  readonly keepaliveSeconds?: number;
  readonly allowedIps?: { readonly how: "replace" | "add"; readonly networks: readonly string[] };
}

/**
 * No peer of anybody: these 32 bytes are text, so nobody has their private key. It takes over what is to be withdrawn, and goes: WireGuard
 * can't take a single allowed IP from a peer before Linux 6.16, and emptying and refilling the peer's list would drop what flows.
 */
export const NOBODY = btoa("becket: allowed IPs of nobody...") as WireGuardPublicKey;

/**
 * An allowed IP that is given to a peer leaves its former one in the same instant, so peers are added and changed first and removed last.
 * @param canAdd false: a list can only be replaced, so it is empty for a moment
 */
export function toPeerCommands(
  changes: readonly PeerChange[],
  { canAdd }: { readonly canAdd: boolean },
): PeerCommand[] {
  const rank = { add: 0, update: 0, recreate: 0, withdraw: 1, remove: 2 } as const satisfies Record<
    PeerChange["kind"],
    number
  >;
  const ordered = [0, 1, 2].flatMap((wanted) => changes.filter(({ kind }) => rank[kind] === wanted));
  return ordered.flatMap((change) => toCommands(change, canAdd));
}

function toCommands(change: PeerChange, canAdd: boolean): PeerCommand[] {
  switch (change.kind) {
    case "add":
      return toAdded(change.peer, change.isAwake === true);
    case "recreate":
      return [{ publicKey: change.peer.publicKey, isRemoved: true }, ...toAdded(change.peer, change.isNudge)];
    case "update": {
      const { publicKey, endpoint, keepaliveSeconds, allowedIps } = change;
      return [
        {
          publicKey,
          ...(endpoint === undefined ? {} : { endpoint }),
          ...(keepaliveSeconds === undefined ? {} : { keepaliveSeconds }),
          ...(allowedIps === undefined
            ? {}
            : {
                allowedIps: canAdd
                  ? { how: "add", networks: allowedIps.added }
                  : { how: "replace", networks: allowedIps.all },
              }),
        },
      ];
    }
    case "withdraw":
      return [
        { publicKey: NOBODY, allowedIps: { how: "replace", networks: change.allowedIps } },
        { publicKey: NOBODY, isRemoved: true },
      ];
    case "remove":
      return [{ publicKey: change.publicKey, isRemoved: true }];
  }
}

const toWhole = ({ publicKey, endpoint, keepaliveSeconds, allowedIps }: PeerSettings): PeerCommand => ({
  ...{ publicKey, endpoint, keepaliveSeconds },
  allowedIps: { how: "replace", networks: allowedIps },
});

/** A keepalive that is switched on makes WireGuard send at once; where none is wanted, it goes again in the same command. */
function toAdded(peer: PeerSettings, isAwake: boolean): PeerCommand[] {
  const { publicKey, keepaliveSeconds } = peer;
  if (!isAwake || keepaliveSeconds > 0) return [toWhole(peer)];
  return [toWhole({ ...peer, keepaliveSeconds: 1 }), { publicKey, keepaliveSeconds }];
}

/** Linux takes 2 MB of arguments, and 128 KB in one (execve(2)); 250 peers are about 40 KB. */
const MAX_ARGUMENT_CHARS = 64 * 1024;

/** The arguments of as few `wg set` as hold the commands. */
export function renderPeerCommands(commands: readonly PeerCommand[]): string[][] {
  const batches: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const command of commands.flatMap(splitLong)) {
    const args = renderPeerCommand(command);
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

/** An IPv6 prefix has up to 44 characters. */
const MAX_NETWORKS = 1_000;

/** What is added may come in pieces; nobody's are also taken in pieces, each of which moves on to the next. */
function splitLong(command: PeerCommand): PeerCommand[] {
  const { publicKey, allowedIps } = command;
  const isAdding = allowedIps?.how === "add" || publicKey === NOBODY;
  if (allowedIps === undefined || !isAdding || allowedIps.networks.length <= MAX_NETWORKS) return [command];
  const { how, networks } = allowedIps;
  const pieces = Array.from({ length: Math.ceil(networks.length / MAX_NETWORKS) }, (_, index) => ({
    ...{ publicKey, allowedIps: { how, networks: networks.slice(index * MAX_NETWORKS, (index + 1) * MAX_NETWORKS) } },
  }));
  return [{ ...command, ...pieces[0] }, ...pieces.slice(1)];
}

function renderPeerCommand({
  publicKey,
  isRemoved,
  endpoint = null,
  keepaliveSeconds,
  allowedIps,
}: PeerCommand): string[] {
  if (isRemoved) return ["peer", publicKey, "remove"];
  const sign = allowedIps?.how === "add" ? "+" : "";
  return [
    "peer",
    publicKey,
    ...(endpoint === null ? [] : ["endpoint", endpoint]),
    ...(keepaliveSeconds === undefined ? [] : ["persistent-keepalive", String(keepaliveSeconds)]),
    ...(allowedIps === undefined ? [] : ["allowed-ips", allowedIps.networks.map((one) => sign + one).join(",")]),
  ];
}
