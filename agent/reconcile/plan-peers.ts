// What to change about the peers of one device. Leaves alone what is right, and never undoes roaming. Pure.
import { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";
import type { WireGuardPeer } from "../wireguard/parse-dump.ts";
import type { ChangedSettings, PeerChange } from "../wireguard/peer-change.ts";
import type { DesiredPeer } from "./desired-device.ts";
import { firstNudgeAfter, nextNudgeAtMs, type PeerMemory } from "./peer-memory.ts";

/** From the first handshake of a peer that came back until the control plane has told us that it did. */
const FRESH_HANDSHAKE_MS = 5_000;
/** The answer to a handshake (WireGuard protocol, section 5.4); with initiations of 148 bytes among them, sums of it are never multiples. */
const RESPONSE_BYTES = 92;

interface Inputs {
  readonly desired: readonly DesiredPeer[];
  readonly observed: readonly WireGuardPeer[];
  readonly memory: ReadonlyMap<WireGuardPublicKey, PeerMemory>;
  readonly nowMs: number;
}

/** @param areRoutesKnown false: allowed IPs that nobody wants may be somebody's all the same, and stay where they are */
export function planPeers(inputs: Inputs & { readonly areRoutesKnown: boolean }): PeerChange[] {
  const { observed, memory, nowMs } = inputs;
  const wanted = new Set(inputs.desired.map(({ publicKey }) => publicKey));
  const present = new Map(observed.map((peer) => [peer.publicKey, peer]));
  const unwanted = findUnwanted(inputs);
  const desired = inputs.areRoutesKnown
    ? inputs.desired
    : inputs.desired.map((peer) => ({
        ...peer,
        allowedIps: [...peer.allowedIps, ...(unwanted.get(peer.publicKey) ?? [])],
      }));
  const removals = observed
    .filter(({ publicKey }) => !wanted.has(publicKey))
    .map(({ publicKey }) => ({ kind: "remove", publicKey, reason: "no member has this key" }) as const);
  const changes = desired.flatMap((peer): PeerChange[] => {
    const current = present.get(peer.publicKey);
    if (current === undefined) return [planAdd(peer, inputs)];
    const known = memory.get(peer.publicKey);
    return (
      planRestart(peer, current, known, nowMs) ??
      planNudge(peer, current, known, nowMs) ??
      planUpdate(peer, current, known)
    );
  });
  const allowedIps = inputs.areRoutesKnown ? [...unwanted.values()].flat() : [];
  const withdrawal = { kind: "withdraw", allowedIps, reason: "allowed IPs that nobody has any more" } as const;
  return [...changes, ...(allowedIps.length === 0 ? [] : [withdrawal]), ...removals];
}

/**
 * A peer whose key no member has any more and which has this one's address is this one, with the key that it had before: the machine has
 * replaced its key, and can't shake hands until we begin. Where it was last heard is where it is. Its former session, which goes with the same
 * request, was of no use any more.
 */
function planAdd(peer: DesiredPeer, { desired, observed, memory }: Inputs): PeerChange {
  const [address] = peer.allowedIps;
  const before = observed.find(
    ({ publicKey, allowedIps }) =>
      address !== undefined && allowedIps.includes(address) && !desired.some((one) => one.publicKey === publicKey),
  );
  const known = before && memory.get(before.publicKey);
  if (before === undefined || known === undefined || known.deviceEpoch !== (peer.deviceEpoch ?? null))
    return { kind: "add", peer, reason: "not there yet" };
  const endpoint = toPlace(peer, before, known);
  return { kind: "add", peer: { ...peer, endpoint }, isAwake: true, reason: "the member replaced its key" };
}

/** Where it was last heard is where it is, unless there is a newer decision. */
function toPlace(peer: DesiredPeer, current: WireGuardPeer, known: PeerMemory | undefined): Endpoint | null {
  const lastHeard = Endpoint.safeParse(current.endpoint).data ?? null;
  const isDecided = known?.endpointVersion !== peer.endpointVersion;
  return isDecided ? (peer.endpoint ?? lastHeard) : (lastHeard ?? peer.endpoint);
}

/** What peers that stay have and no peer shall have. What another one shall have is taken by giving it to that one. */
function findUnwanted({ desired, observed }: Inputs): ReadonlyMap<WireGuardPublicKey, readonly string[]> {
  const owned = new Set(desired.flatMap(({ allowedIps }) => allowedIps));
  const staying = new Set(desired.map(({ publicKey }) => publicKey));
  return new Map(
    observed.flatMap(({ publicKey, allowedIps }) => {
      const unwanted = staying.has(publicKey) ? allowedIps.filter((network) => !owned.has(network)) : [];
      return unwanted.length === 0 ? [] : [[publicKey, unwanted] as const];
    }),
  );
}

/** The earliest time at which a peer of this device may need a nudge; null: none does. */
export function nextPeerWakeAtMs({ desired, observed, memory, nowMs }: Inputs): number | null {
  const present = new Map(observed.map((peer) => [peer.publicKey, peer]));
  const times = desired.flatMap((peer) => {
    const known = memory.get(peer.publicKey);
    const current = present.get(peer.publicKey);
    if (known === undefined || (current !== undefined && hasHadHandshake(current))) return [];
    if (canBeNudged(peer, current, known)) return nextNudgeAtMs(peer.publicKey, known) ?? [];
    // Somebody may be waiting for it by then.
    return peer.endpoint === null || isRelayed(peer.endpoint)
      ? []
      : (firstNudgeAfter(peer.publicKey, known, nowMs) ?? []);
  });
  return times.length === 0 ? null : Math.min(...times);
}

/**
 * Removes and adds the peer, which makes WireGuard send an initiation at once instead of after 5 s (see nudgesAfterMs). A peer that has had
 * no handshake has no session to lose.
 */
function planNudge(
  peer: DesiredPeer,
  current: WireGuardPeer,
  known: PeerMemory | undefined,
  nowMs: number,
): PeerChange[] | null {
  const dueAtMs = known === undefined ? null : nextNudgeAtMs(peer.publicKey, known);
  if (dueAtMs === null || dueAtMs > nowMs || hasHadHandshake(current) || !canBeNudged(peer, current, known))
    return null;
  return [{ kind: "recreate", peer, isNudge: true, reason: "no answer to the first handshake" }];
}

/**
 * The peer's interface was made anew since our session with it began: the session is lost at its end, and ours would go on sending into it
 * until the next rekey. A handshake of the last seconds is with the new interface already.
 */
function planRestart(
  peer: DesiredPeer,
  current: WireGuardPeer,
  known: PeerMemory | undefined,
  nowMs: number,
): PeerChange[] | null {
  const before = known?.deviceEpoch ?? null;
  if (peer.deviceEpoch === undefined || before === null || peer.deviceEpoch === before) return null;
  const ageMs = nowMs - (current.latestHandshakeMs ?? nowMs);
  // One that is yet to come was before the clock was set back.
  if (ageMs >= 0 && ageMs < FRESH_HANDSHAKE_MS) return null;
  const endpoint = toPlace(peer, current, known);
  return [{ kind: "recreate", peer: { ...peer, endpoint }, isNudge: false, reason: "its interface was made anew" }];
}

/**
 * A keepalive asks by itself. Without one a nudge is for somebody who waits: more than answers was sent. An end that only answered knows of
 * the session with its first packet, which may be under way. Through the relay the first initiation waits until that is open, so what was
 * received tells that it was not in vain. A member that replaced its key knew us when we were told, so the first one is not in vain either, only
 * slow; with a nudge what waits for it would be lost.
 */
function canBeNudged(
  { endpoint, keepaliveSeconds }: DesiredPeer,
  current: WireGuardPeer | undefined,
  known: PeerMemory | undefined,
): boolean {
  if (known?.isReplacement && (current?.receivedBytes ?? 0) === 0) return false;
  if (endpoint === null || keepaliveSeconds > 0) return endpoint !== null;
  const { sentBytes = 0, receivedBytes = 0 } = current ?? {};
  return sentBytes % RESPONSE_BYTES !== 0 && (receivedBytes > 0 || !isRelayed(endpoint));
}

const isRelayed = (endpoint: Endpoint): boolean => endpoint.startsWith("127.");

/**
 * Something may have been received without one: two ends that begin a handshake at the same moment cancel each other's, and both would wait
 * for 5 s.
 */
export const hasHadHandshake = ({ latestHandshakeMs }: WireGuardPeer): boolean => latestHandshakeMs !== null;

function planUpdate(peer: DesiredPeer, current: WireGuardPeer, known: PeerMemory | undefined): PeerChange[] {
  const { publicKey, allowedIps, endpoint, keepaliveSeconds } = peer;
  const reasons: string[] = [];
  let changes: Omit<ChangedSettings, "publicKey"> = {};
  const has = new Set(current.allowedIps);
  const added = allowedIps.filter((network) => !has.has(network));
  if (added.length > 0) {
    changes = { ...changes, allowedIps: { added, all: allowedIps } };
    reasons.push(`${added.length} more allowed IPs`);
  }
  if (keepaliveSeconds !== current.keepaliveSeconds) {
    changes = { ...changes, keepaliveSeconds };
    reasons.push(`keepalive was ${current.keepaliveSeconds}`);
  }
  const endpointReason = whyWriteEndpoint(peer, current, known);
  if (endpointReason !== null) {
    changes = { ...changes, endpoint };
    reasons.push(endpointReason);
  }
  return reasons.length === 0 ? [] : [{ kind: "update", publicKey, reason: reasons.join("; "), ...changes }];
}

/**
 * Why the endpoint has to be written, or null to leave it. WireGuard follows a peer to wherever its last authenticated packet came from, and
 * that is newer than any decision that was carried out before: each is written once.
 */
function whyWriteEndpoint(
  { endpoint, endpointVersion }: DesiredPeer,
  current: WireGuardPeer,
  known: PeerMemory | undefined,
): string | null {
  if (endpoint === null || endpoint === current.endpoint) return null;
  if (current.endpoint === null) return "no endpoint was known";
  return endpointVersion === (known?.endpointVersion ?? 0) ? null : "another path";
}
