// One pair at work: steps the path machine, does what it asks for, and carries sealed packets between WireGuard's loopback socket and the relay.
import type { Endpoint } from "#schema/address";
import type { MachineId, MeshId } from "#schema/ids";
import type { LinkReport } from "#schema/path";
import type { ToMeshMessage } from "#schema/wire/messages";
import type { PathDecision } from "../reconcile/path-decision.ts";
import type { LoopbackSocket } from "../relay/loopback.ts";
import { createPacketQueue } from "../relay/packet-queue.ts";
import type { RelayConnection, Relays } from "../relay/relay-connection.ts";
import { createAdmission } from "../relay/wireguard-packets.ts";
import { isStunPacket } from "../stun/codec.ts";
import type { Clock } from "../system/clock.ts";
import type { Birthday } from "./checks/birthday.ts";
import type { CheckAnswer, Checker } from "./checks/checker.ts";
import type { Pacer } from "./checks/pacer.ts";
import { toPathReason } from "./core/explain-path.ts";
import { toKeepalive } from "./core/keepalive.ts";
import { nextWakeMs, stepPath } from "./core/path-machine.ts";
import type { PathAction, PathEvent, PathState } from "./core/path-state.ts";
import { createHandshakeTie } from "./handshake-tie.ts";
import { createPathQuality, type PathQuality } from "./path-quality.ts";

export interface Pair {
  readonly peerId: MachineId;
  state(): PathState;
  /** The same object until it says something else. */
  decision(): PathDecision;
  readonly quality: PathQuality;
  dispatch(event: PathEvent): void;
  /** WireGuard has the peer, with this version of the decision. */
  confirm(version: number): void;
  /** False: packets that prove nothing yet would be answered. */
  isConfigured(): boolean;
  appliedVersion(): number;
  /** From WireGuard, through the loopback socket. */
  takeSealed(packet: Buffer): void;
  openRelay(ticket: string): void;
  /** An answer to a check that went through the relay, or on the path in use. */
  noteAnswer(answer: CheckAnswer): void;
  /** Our WireGuard has another key. */
  ownKeyChanged(): void;
  /** Sends a check on the path in use, to measure it. */
  measure(): void;
  stop(): void;
  /** As stop, when the peer is one no more: what the packet rules have for it goes too. */
  leave(): void;
}

export interface PairOptions {
  readonly meshId: MeshId;
  readonly state: PathState;
  readonly clock: Clock;
  readonly relays: Relays;
  readonly loopback: LoopbackSocket;
  readonly checker: Checker;
  readonly birthday: Birthday;
  readonly pacer: Pacer;
  /** Sends from WireGuard's port. */
  readonly probe: (packet: Uint8Array, to: Endpoint) => void;
  readonly send: (message: ToMeshMessage) => void;
  readonly refreshStun: () => void;
  readonly report: (link: LinkReport) => void;
  readonly onDecision: () => void;
}

/** First packets, until the relay is there. */
const WAITING_BYTES = 64 * 1024;
/** Each packet on a busy relay is not worth a step. */
const RELAY_PACKET_EVERY_MS = 500;

export function createPair(options: PairOptions): Pair {
  const { meshId, clock, relays, loopback, checker, birthday, pacer } = options;
  const { peerId } = options.state;
  const waiting = createPacketQueue(WAITING_BYTES);
  const quality = createPathQuality();
  const admission = createAdmission();
  const tie = createHandshakeTie(options.state.isControlling);
  let state = options.state;
  let relay: RelayConnection | null = null;
  let invitation: string | null = null;
  let applied = -1;
  let decided = toDecision();
  let cancelWake = () => {};
  let isStopped = false;
  let relayPacketAtMs = Number.NEGATIVE_INFINITY;

  function dispatch(event: PathEvent): void {
    if (isStopped) return;
    const step = stepPath(state, event, clock.now());
    const before = state;
    state = step.state;
    if (before.path.kind !== state.path.kind) {
      quality.reset();
      sendWaiting();
    }
    for (const action of step.actions) perform(action);
    settle();
  }

  /** A direct path was found before the relay: what waited for that one need not wait for WireGuard to send it again, which takes 5 s. */
  function sendWaiting(): void {
    const { path, local } = state;
    if (path.kind !== "direct" || !local.canCheck) return;
    for (let packet = waiting.shift(); packet !== undefined; packet = waiting.shift())
      options.probe(packet, path.endpoint);
  }

  function settle(): void {
    cancelWake();
    const nowMs = clock.now();
    const wakeMs = nextWakeMs(state, nowMs);
    if (wakeMs !== null) cancelWake = clock.setTimer(wakeMs - nowMs, () => dispatch({ type: "tick" }));
    const next = toDecision();
    if (JSON.stringify(next) === JSON.stringify(decided)) return;
    decided = next;
    options.onDecision();
  }

  function toDecision(): PathDecision {
    const { path, version } = state;
    return {
      endpoint: path.kind === "direct" ? path.endpoint : loopback.endpoint,
      version,
      keepaliveSeconds: toKeepalive(state, clock.now()),
      gatewayId: path.kind === "transit" ? path.gatewayId : null,
    };
  }

  function perform(action: PathAction): void {
    switch (action.type) {
      case "send_checks":
        for (const endpoint of action.endpoints) {
          const send = () => check(endpoint, action.isNominated);
          if (action.isOrdinary) pacer.run(`${meshId} ${peerId} ${endpoint}`, send);
          else send();
        }
        return;
      case "request_punch":
        options.send({ type: "punch.request", peerId, kind: action.kind });
        return;
      case "ask_turn":
        birthday.ask();
        return;
      case "open_ports":
        birthday.openPorts(action.remote);
        return;
      case "guess_ports":
        birthday.guessPorts(action.address);
        return;
      case "end_birthday":
        birthday.end();
        return;
      case "request_relay":
        options.send({ type: "relay.request", peerId });
        return;
      case "close_relay":
        closeRelay();
        return;
      case "request_transit":
        options.send({ type: "transit.request", peerId, gatewayIds: [...action.gatewayIds] });
        return;
      case "refresh_stun":
        options.refreshStun();
        return;
      case "report":
        options.report(toReport(action.kind));
    }
  }

  function toReport(kind: LinkReport["kind"]): LinkReport {
    const nowMs = clock.now();
    const endpoint = state.path.kind === "direct" ? state.path.endpoint : null;
    const at = new Date(clock.wall(nowMs)).toISOString();
    return { peerId, kind, path: state.path.kind, endpoint, reason: toPathReason(state, nowMs), at };
  }

  function check(endpoint: Endpoint, isNominated: boolean): void {
    if (isStopped) return;
    if (state.path.kind === "direct" && state.path.endpoint === endpoint) quality.sent(clock.now());
    const transmit = (packet: Buffer) => options.probe(packet, endpoint);
    checker.send({ peerId, endpoint, isNominated, transmit });
  }

  function takeSealed(packet: Buffer): void {
    // What WireGuard sends here after the upgrade goes the direct way all the same: nothing is lost, and the peer does not follow us back.
    if (state.path.kind === "direct" && state.local.canCheck) options.probe(packet, state.path.endpoint);
    else if (relay !== null) sendRelayed(relay, packet);
    else waiting.push(packet);
    const isNews = state.path.kind !== "relayed" || state.lastTxMs === null || clock.now() - state.lastTxMs > 1_000;
    if (isNews) dispatch({ type: "loopback_packet" });
  }

  function sendRelayed(connection: RelayConnection, packet: Uint8Array): void {
    tie.noteSent(packet, clock.now());
    connection.send(packet);
  }

  function openRelay(ticket: string): void {
    if (relay !== null || isStopped) return;
    if (applied < 0) {
      invitation = ticket;
      return;
    }
    const mine = relays.open(
      { meshId, peerId, ticket },
      {
        onPacket: takeRelayed,
        onPeerPresent(isPresent) {
          if (isPresent) tie.notePeerPresent(clock.now());
          dispatch({ type: "relay_peer", isPresent });
        },
        onEnd({ code, message }) {
          if (relay !== mine) return;
          relay = null;
          dispatch({ type: "relay_ended", code, message });
        },
      },
    );
    relay = mine;
    for (let packet = waiting.shift(); packet !== undefined; packet = waiting.shift()) sendRelayed(mine, packet);
    dispatch({ type: "relay_opened" });
  }

  function takeRelayed(packet: Buffer): void {
    if (!isStunPacket(packet)) {
      const nowMs = clock.now();
      if (admission.admit(packet, nowMs) && tie.admit(packet, nowMs)) loopback.inject(packet);
      if (nowMs - relayPacketAtMs < RELAY_PACKET_EVERY_MS) return;
      relayPacketAtMs = nowMs;
      dispatch({ type: "relay_packet" });
      return;
    }
    checker.receive(packet, { from: null, reply: (answer) => relay?.send(answer) });
  }

  function closeRelay(): void {
    const closing = relay;
    relay = null;
    invitation = null;
    waiting.clear();
    closing?.close();
  }

  function stop(): void {
    isStopped = true;
    cancelWake();
    closeRelay();
    birthday.stop();
    loopback.close();
  }

  settle();
  return {
    peerId,
    quality,
    dispatch,
    decision: () => decided,
    takeSealed,
    openRelay,
    state: () => state,
    confirm(version) {
      applied = version;
      if (invitation === null) return;
      const ticket = invitation;
      invitation = null;
      openRelay(ticket);
    },
    isConfigured: () => applied >= 0,
    appliedVersion: () => applied,
    noteAnswer({ endpoint, roundTripMs }) {
      const isInUse = endpoint === null ? state.path.kind === "relayed" : isPathTo(state, endpoint);
      if (isInUse) quality.answered(roundTripMs, clock.now());
      if (endpoint !== null) dispatch({ type: "answered", endpoint, roundTripMs });
    },
    ownKeyChanged: () => tie.noteKeyReplaced(clock.now()),
    measure() {
      if (state.path.kind === "direct" && state.local.canCheck) check(state.path.endpoint, false);
      if (state.path.kind !== "relayed" || relay === null) return;
      const connection = relay;
      quality.sent(clock.now());
      const transmit = (packet: Buffer) => connection.send(packet);
      checker.send({ peerId, endpoint: null, isNominated: false, transmit });
    },
    stop,
    leave() {
      stop();
      birthday.leave();
    },
  };
}

const isPathTo = ({ path }: PathState, endpoint: Endpoint): boolean =>
  path.kind === "direct" && path.endpoint === endpoint;
