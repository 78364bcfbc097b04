// What members tell each other through the mesh: punch, relay and observation. Pure over the mesh's storage, and nothing of it is stored.
import type { MachineId } from "#schema/ids";
import { EAGER_MEMBERS } from "#schema/limits";
import type {
  FromMeshMessage,
  PeerObserved,
  PunchRequest,
  RelayRefused,
  RelayRequest,
  WireError,
} from "#schema/wire/messages";
import { createRateLimiter, type RateLimiter } from "../../durable/rate-limiter.ts";
import type { MessageContext } from "../messages.ts";
import type { MeshRecord } from "../storage.ts";
import { isRelayAllowed } from "./transits.ts";

export type Signal = PunchRequest | RelayRequest | PeerObserved;

export interface SignalContext
  extends Pick<MessageContext, "storage" | "machineId" | "signalLimits" | "isOnline" | "nowMs"> {
  readonly mesh: MeshRecord;
}

export interface SignalOutcome {
  /** To whoever sent the signal. */
  readonly replies: readonly FromMeshMessage[];
  /** To one other member, if it is connected. */
  readonly tells: readonly Tell[];
  /** Peers to which a relay opens: both ends get a ticket. */
  readonly relayPeers: readonly MachineId[];
}
export interface Tell {
  readonly machineId: MachineId;
  readonly message: FromMeshMessage;
}

/** Keys of pairs that took the longest ago are forgotten: they have their whole burst again by then, in all but a flood. */
const MAX_PAIRS = 20_000;

/** `…ToPeer` are of a pair, one way; the others of a member, whomever it signals. */
export interface SignalLimits {
  readonly punchToPeer: RateLimiter;
  readonly punch: RateLimiter;
  /** Of a pair, both ways. */
  readonly birthdayOfPair: RateLimiter;
  readonly birthday: RateLimiter;
  readonly relayToPeer: RateLimiter;
  readonly observationToPeer: RateLimiter;
  readonly observation: RateLimiter;
}
export const createSignalLimits = (): SignalLimits => ({
  punchToPeer: createRateLimiter({ burst: 10, perSecond: 1, maxKeys: MAX_PAIRS }),
  // A member whose network changes punches with all peers that it keeps warm; and again a few seconds later with those that did not answer.
  punch: createRateLimiter({ burst: 2 * EAGER_MEMBERS, perSecond: 4 }),
  birthdayOfPair: createRateLimiter({ burst: 1, perSecond: 0.1, maxKeys: MAX_PAIRS }),
  birthday: createRateLimiter({ burst: EAGER_MEMBERS, perSecond: 0.5 }),
  relayToPeer: createRateLimiter({ burst: 10, perSecond: 0.5, maxKeys: MAX_PAIRS }),
  observationToPeer: createRateLimiter({ burst: 3, perSecond: 0.1, maxKeys: MAX_PAIRS }),
  // Each may become an update of the peer, which all members are told.
  observation: createRateLimiter({ burst: EAGER_MEMBERS, perSecond: 0.5 }),
});

const NOTHING: SignalOutcome = { replies: [], tells: [], relayPeers: [] };

export function handleSignal(context: SignalContext, signal: Signal): SignalOutcome {
  switch (signal.type) {
    case "punch.request":
      return handlePunch(context, signal);
    case "relay.request":
      return handleRelayRequest(context, signal);
    case "peer.observed":
      return handleObservation(context, signal);
  }
}

function handlePunch(context: SignalContext, { peerId, kind }: PunchRequest): SignalOutcome {
  const { machineId, signalLimits, nowMs } = context;
  if (!isPeer(context, peerId)) return refuse("member_not_found", `${peerId} is no peer in this mesh`);
  if (!signalLimits.punchToPeer.take(toPair(machineId, peerId), nowMs)) {
    return refuse("rate_limited", `too many punches with ${peerId}`);
  }
  if (!signalLimits.punch.take(machineId, nowMs)) return refuse("rate_limited", "too many punches");
  // Hundreds of packets fly each time, whichever end asks.
  if (kind === "birthday" && !signalLimits.birthdayOfPair.take(toPair(...inOrder(machineId, peerId)), nowMs)) {
    return refuse("rate_limited", `too many birthday punches with ${peerId}`);
  }
  if (kind === "birthday" && !signalLimits.birthday.take(machineId, nowMs)) {
    return refuse("rate_limited", "too many birthday punches");
  }
  return tell(peerId, { type: "punch.requested", peerId: machineId, kind });
}

function handleRelayRequest(context: SignalContext, { peerId }: RelayRequest): SignalOutcome {
  const { machineId, mesh, signalLimits, nowMs, isOnline } = context;
  const refuseRelay = (code: string, message: string): SignalOutcome => ({
    ...NOTHING,
    replies: [renderRelayRefusal(peerId, code, message)],
  });
  if (!isPeer(context, peerId)) return refuseRelay("member_not_found", `${peerId} is no peer in this mesh`);
  if (!isRelayAllowed(mesh.settings.fallback)) {
    return refuseRelay("relay_not_allowed", "this mesh's fallback does not allow relays");
  }
  if (!signalLimits.relayToPeer.take(toPair(machineId, peerId), nowMs)) {
    return refuseRelay("rate_limited", `too many relays asked for to ${peerId}`);
  }
  return isOnline(peerId) ? { ...NOTHING, relayPeers: [peerId] } : { ...NOTHING, replies: [renderPeerOffline(peerId)] };
}

function handleObservation(context: SignalContext, { peerId, endpoint }: PeerObserved): SignalOutcome {
  const { machineId, signalLimits, nowMs } = context;
  if (!isPeer(context, peerId)) return refuse("member_not_found", `${peerId} is no peer in this mesh`);
  // The peer has heard it lately, or hears it from others; a newer one comes with the next observation.
  if (!signalLimits.observationToPeer.take(toPair(machineId, peerId), nowMs)) return NOTHING;
  if (!signalLimits.observation.take(machineId, nowMs)) return NOTHING;
  return tell(peerId, { type: "endpoint.observed", endpoint, observedBy: machineId });
}

export const renderPeerOffline = (peerId: MachineId): RelayRefused =>
  renderRelayRefusal(peerId, "peer_offline", "the peer is not connected to the control plane, so it can't be invited");

const renderRelayRefusal = (peerId: MachineId, code: string, message: string): RelayRefused => ({
  type: "relay.refused",
  peerId,
  code,
  message,
});

const refuse = (code: string, message: string): SignalOutcome => ({
  ...NOTHING,
  replies: [{ type: "error", code, message } satisfies WireError],
});
const tell = (machineId: MachineId, message: FromMeshMessage): SignalOutcome => ({
  ...NOTHING,
  tells: [{ machineId, message }],
});

const isPeer = ({ storage, machineId }: SignalContext, peerId: MachineId): boolean =>
  peerId !== machineId && storage.readMember(peerId) !== null;

const inOrder = (one: MachineId, other: MachineId): [MachineId, MachineId] =>
  one < other ? [one, other] : [other, one];
const toPair = (from: MachineId, to: MachineId): string => `${from} ${to}`;
