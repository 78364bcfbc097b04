// A relayed pair for tests: enrolled machines, tickets of a mesh, and the sockets of both sides.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { MachineId } from "#schema/ids";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromRelayMessage, RELAY_TICKET_HEADER, toRelayName } from "#schema/wire/relay";
import { createDatabase } from "../durable/sqlite.ts";
import { createRelayTicketStorage, createRelayTickets } from "../mesh-object/signals/relay-tickets.ts";
import type { RelayObject } from "../relay-object/relay-object.ts";
import { createTestApp } from "./create-test-app.ts";
import { type EnrolledMachine, enrolMachine, fetchAs } from "./enrolled-machine.ts";
import { createTestMesh } from "./test-mesh.ts";

export async function createTestRelay() {
  const app = createTestApp();
  const mesh = await createTestMesh();
  const meshId = mesh.settings.id;
  const one = await enrolMachine(app);
  const other = await enrolMachine(app);

  const issue = (machineId: MachineId, peerId: MachineId, nowMs = Date.now()) =>
    runInDurableObject(mesh.stub, (_, { storage }) =>
      createRelayTickets(createRelayTicketStorage(createDatabase(storage))).issue({ meshId, machineId, peerId, nowMs }),
    );

  /** The request of a machine for the relay to a peer. Without a ticket when it is null; a right one when left out. */
  async function request(
    machine: EnrolledMachine,
    peerId: MachineId,
    { ticket, headers = {} }: { ticket?: string | null; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const shown = ticket === undefined ? await issue(machine.machineId, peerId) : ticket;
    return fetchAs(app, machine, AGENT_PATHS.relay(meshId, peerId), {
      headers: { upgrade: "websocket", ...(shown === null ? {} : { [RELAY_TICKET_HEADER]: shown }), ...headers },
    });
  }

  async function open(machine: EnrolledMachine, peer: EnrolledMachine): Promise<RelaySide> {
    const response = await request(machine, peer.machineId);
    if (response.webSocket === null) throw new Error(`no upgrade: ${response.status} ${await response.text()}`);
    return createRelaySide(response.webSocket);
  }

  const name = toRelayName(meshId, one.machineId, other.machineId);
  return {
    app,
    mesh,
    one,
    other,
    issue,
    request,
    open,
    /** Both sides, each of which knows that the other is there. */
    async openBoth(): Promise<[RelaySide, RelaySide]> {
      return [await open(one, other), await open(other, one)];
    },
    stub: env.RELAY.getByName(name) as unknown as DurableObjectStub<RelayObject>,
  };
}

export interface RelaySide {
  send(frame: string | Uint8Array): void;
  acknowledge(bytes: number): void;
  /** Binary frames, in order. */
  readonly frames: readonly Uint8Array[];
  /** What it was told of the other side, in order. */
  readonly peer: readonly boolean[];
  readonly pongs: () => number;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
}

function createRelaySide(socket: WebSocket): RelaySide {
  const frames: Uint8Array[] = [];
  const peer: boolean[] = [];
  let pongs = 0;
  // A Blob else, which is read asynchronously (compatibility date 2026-03-17).
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    if (data === "pong") pongs += 1;
    else if (data instanceof ArrayBuffer) frames.push(new Uint8Array(data));
    else peer.push(FromRelayMessage.parse(JSON.parse(String(data))).isPresent);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  socket.accept();
  return {
    send: (frame) => socket.send(frame),
    acknowledge: (bytes) => socket.send(JSON.stringify({ type: "relay.ack", bytes })),
    frames,
    peer,
    pongs: () => pongs,
    closed,
    close: () => socket.close(1000, "done"),
  };
}
