// Relay objects on a real port of this machine: they pair machines, forward frames and answer pings, with levers for what can go wrong.
// Who connects is read from the machine token, which is not verified; the ticket is, against `tickets`.
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { ErrorCode } from "#schema/errors";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { PING, PONG } from "#schema/wire/messages";
import { RELAY_TICKET_HEADER, RelayAck, type RelayPeer, toRelayName } from "#schema/wire/relay";

export interface FakeRelay {
  readonly url: string;
  /** Tickets that open a relay; any does while there is none here. */
  readonly tickets: Set<string>;
  readonly levers: {
    /** No pong, no forwarding. */
    isMute: boolean;
    /** Upgrades are refused with this problem. */
    refuse: ErrorCode | null;
  };
  sides(): readonly FakeRelaySide[];
  /** Takes an upgrade of another server: false when its path is none of a relay. */
  accept(request: http.IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): Promise<void>;
}

export interface FakeRelaySide {
  readonly machineId: string;
  readonly ticket: string;
  /** Sizes of the frames that came from it. */
  readonly frames: number[];
  /** What it acknowledged, each time. */
  readonly acks: number[];
  readonly pings: () => number;
  sendFrame(frame: Uint8Array): void;
  sendText(text: string): void;
  close(code: number, reason?: string): void;
  /** Stops reading from it, as a network does that takes nothing more. */
  pause(): void;
  resume(): void;
}

export async function createFakeRelay(): Promise<FakeRelay> {
  const rooms = new Map<string, Map<string, FakeRelaySide>>();
  const connections = new Set<Duplex>();
  const tickets = new Set<string>();
  const levers: FakeRelay["levers"] = { isMute: false, refuse: null };
  const acceptor = new WebSocketServer({ noServer: true });
  const server = http.createServer((_, response) => response.writeHead(404).end());

  const say = (side: FakeRelaySide, isPresent: boolean) =>
    side.sendText(JSON.stringify({ type: "relay.peer", isPresent } satisfies RelayPeer));

  function join(room: Map<string, FakeRelaySide>, machineId: string, ticket: string, webSocket: WebSocket): void {
    let pings = 0;
    const side = createSide(machineId, ticket, webSocket, () => pings);
    const other = () => [...room.values()].find((each) => each.machineId !== machineId);
    room.set(machineId, side);
    const peer = other();
    say(side, peer !== undefined);
    if (peer !== undefined) say(peer, true);
    webSocket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary && data.toString() === PING) pings++;
      if (isBinary) side.frames.push(data.length);
      if (levers.isMute) return;
      if (isBinary) other()?.sendFrame(data);
      else if (data.toString() === PING) webSocket.send(PONG);
      else side.acks.push(RelayAck.parse(JSON.parse(data.toString())).bytes);
    });
    webSocket.on("close", () => {
      if (room.get(machineId) !== side) return;
      room.delete(machineId);
      const left = other();
      if (left !== undefined) say(left, false);
    });
  }

  function accept(request: http.IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const [, meshId, peerId] = RELAY_PATH.exec(request.url ?? "") ?? [];
    if (meshId === undefined || peerId === undefined) return false;
    const ticket = String(request.headers[RELAY_TICKET_HEADER] ?? "");
    const problem = levers.refuse ?? (tickets.size > 0 && !tickets.has(ticket) ? "relay_ticket_invalid" : null);
    if (problem !== null) {
      socket.end(`HTTP/1.1 403 No\r\nconnection: close\r\n\r\n${JSON.stringify({ code: problem, title: problem })}`);
      return true;
    }
    const machineId = readIssuer(request.headers.authorization);
    const name = toRelayName(meshId, machineId, peerId);
    const room = rooms.get(name) ?? new Map();
    rooms.set(name, room);
    acceptor.handleUpgrade(request, socket, head, (webSocket) => join(room, machineId, ticket, webSocket));
    return true;
  }

  server.on("upgrade", (request, socket, head) => accept(request, socket, head) || socket.destroy());
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tickets,
    levers,
    sides: () => [...rooms.values()].flatMap((room) => [...room.values()]),
    accept,
    close() {
      for (const socket of connections) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const RELAY_PATH = new RegExp(`^${AGENT_PATHS.relay("([^/]+)", "([^/]+)")}$`);

function createSide(machineId: string, ticket: string, webSocket: WebSocket, pings: () => number): FakeRelaySide {
  return {
    machineId,
    ticket,
    frames: [],
    acks: [],
    pings,
    sendFrame: (frame) => webSocket.send(frame, { binary: true }),
    sendText: (text) => webSocket.send(text),
    close: (code, reason) => webSocket.close(code, reason),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
  };
}

function readIssuer(authorization: string | undefined): string {
  const claims = authorization?.split(".")[1] ?? "";
  return JSON.parse(Buffer.from(claims, "base64url").toString("utf8")).iss;
}
