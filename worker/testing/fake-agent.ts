// A machine for tests: speaks the wire with an object, over a WebSocket or over long-poll. What it sends is free, so that hostile machines can
// be played too; what it receives is parsed with the wire's own schemas.
import type { z } from "zod";
import type { AnnouncementRow, Duty, MeshSettings, PeerRow } from "#schema/desired-state";
import { ID_PREFIXES, MachineId, MeshId, renderUlid, WireGuardPublicKey } from "#schema/ids";
import { FromMachineMessage, FromMeshMessage, MessageBatch } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";

/** How requests of one machine reach one object: straight (`toObject`), or through the app with a signed token. */
export type SendRequest = (request: {
  readonly method: "GET" | "POST";
  readonly isUpgrade?: boolean;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: string;
}) => Promise<Response>;

/** Straight to the object, with the headers that the Worker sets. `token` replaces what is taken from it. */
export function toObject(
  object: { fetch(request: Request): Promise<Response> },
  machineId: string,
  token: { readonly tokenId?: string; readonly issuedAt?: number } = {},
): SendRequest {
  return ({ method, isUpgrade = false, query = {}, body }) => {
    const { tokenId = crypto.randomUUID(), issuedAt = Math.floor(Date.now() / 1_000) } = token;
    const headers = new Headers({
      [TRUSTED_HEADERS.machineId]: machineId,
      [TRUSTED_HEADERS.tokenId]: tokenId,
      [TRUSTED_HEADERS.tokenIssuedAt]: String(issuedAt),
      [TRUSTED_HEADERS.tokenExpiresAt]: String(issuedAt + 60),
      [TRUSTED_HEADERS.requestId]: "req_test",
      ...(isUpgrade ? { upgrade: "websocket" } : {}),
    });
    const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return object.fetch(
      new Request(`https://object.test/sync?${search}`, { method, headers, ...(body === undefined ? {} : { body }) }),
    );
  };
}

export interface FakeSocket<Message> {
  send(message: unknown): void;
  sendText(text: string | ArrayBuffer): void;
  /** The next message that was not taken yet. */
  next(): Promise<Message>;
  /** Every message so far, taken or not. */
  readonly received: readonly Message[];
  readonly pongs: () => number;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
}

export const openMeshSocket = (send: SendRequest) => openSocket(send, FromMeshMessage);
export const openMachineSocket = (send: SendRequest) => openSocket(send, FromMachineMessage);

export async function openSocket<Message>(send: SendRequest, schema: z.ZodType<Message>): Promise<FakeSocket<Message>> {
  const response = await send({ method: "GET", isUpgrade: true });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no upgrade: ${response.status} ${await response.text()}`);
  const received: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  let taken = 0;
  let pongs = 0;
  socket.addEventListener("message", ({ data }) => {
    if (data === "pong") {
      pongs += 1;
      return;
    }
    const message = schema.parse(JSON.parse(String(data)));
    received.push(message);
    const waiter = waiting.shift();
    if (waiter === undefined) return;
    taken += 1;
    waiter(message);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  socket.accept();
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    next() {
      const message = received[taken];
      if (message === undefined) return new Promise((resolve) => waiting.push(resolve));
      taken += 1;
      return Promise.resolve(message);
    },
    received,
    pongs: () => pongs,
    closed,
    close: () => socket.close(1000, "done"),
  };
}

/** POST …/sync and GET …/sync without an upgrade. */
export function createFakePoller<Message>(send: SendRequest, schema: z.ZodType<Message>) {
  const parse = async (response: Response): Promise<Message[]> => {
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return MessageBatch.parse(await response.json()).messages.map((message) => schema.parse(message));
  };
  return {
    post: async (...messages: unknown[]) => parse(await send({ method: "POST", body: JSON.stringify({ messages }) })),
    poll: async (query: Readonly<Record<string, string | number>>) => parse(await send({ method: "GET", query })),
  };
}

let counter = 0;
const randomUlid = () => renderUlid(Date.now() + counter++, crypto.getRandomValues(new Uint8Array(16)));
export const createMachineId = (): MachineId => MachineId.parse(ID_PREFIXES.machine + randomUlid());
export const createMeshId = (): MeshId => MeshId.parse(ID_PREFIXES.mesh + randomUlid());
export const createPublicKey = (): WireGuardPublicKey =>
  WireGuardPublicKey.parse(btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))));

export interface HelloOptions {
  readonly publicKey?: string;
  readonly candidates?: readonly unknown[];
  readonly position?: { readonly epoch: string; readonly revision: number } | null;
}
export const createHello = ({
  publicKey = createPublicKey(),
  candidates = [],
  position = null,
}: HelloOptions = {}) => ({
  type: "sync.hello",
  wireVersion: WIRE_VERSION,
  position,
  publicKey,
  candidates,
});

/** What a machine knows of a mesh after these messages; throws where a message does not follow on what it knows. */
export function createMeshView() {
  let view: {
    epoch: string;
    revision: number;
    mesh: MeshSettings;
    members: Map<string, PeerRow>;
    announcements: Map<string, AnnouncementRow>;
    duties: readonly Duty[];
  } | null = null;
  return {
    take(message: FromMeshMessage): void {
      if (message.type === "sync.snapshot") {
        const members = new Map(message.members.map((row) => [row.machineId as string, row]));
        const announcements = new Map(message.announcements.map((row) => [row.id as string, row]));
        const { epoch, revision, mesh, duties } = message;
        view = { epoch, revision, mesh, members, announcements, duties };
      } else if (message.type === "sync.changes") {
        if (view === null || view.epoch !== message.epoch || message.since > view.revision) {
          throw new Error(`changes since ${message.since} do not follow on ${view?.revision ?? "nothing"}`);
        }
        for (const machineId of message.removed) view.members.delete(machineId);
        for (const row of message.changed) view.members.set(row.machineId, row);
        for (const row of message.announcements) {
          if (row.machineIds.length === 0) view.announcements.delete(row.id);
          else view.announcements.set(row.id, row);
        }
        const { revision, mesh = view.mesh, duties = view.duties } = message;
        view = { ...view, revision, mesh, duties };
      }
    },
    position: () => (view === null ? null : { epoch: view.epoch, revision: view.revision }),
    name: () => view?.mesh.name ?? null,
    fallback: () => view?.mesh.fallback ?? null,
    machineIds: () => [...(view?.members.keys() ?? [])].sort(),
    row: (machineId: string) => view?.members.get(machineId) ?? null,
    /** What this member may announce, to whom this view belongs or not. */
    prefixesOf: (machineId: string) =>
      [...(view?.announcements.values() ?? [])]
        .filter(({ machineIds }) => machineIds.some((id) => id === machineId))
        .flatMap(({ prefixes }) => prefixes)
        .sort(),
    duties: () => view?.duties ?? [],
  };
}
export type MeshView = ReturnType<typeof createMeshView>;

/** Takes messages of the socket until the view is as it should be. */
export async function takeUntil(
  socket: FakeSocket<FromMeshMessage>,
  view: MeshView,
  isDone: (view: MeshView) => boolean,
): Promise<void> {
  while (!isDone(view)) view.take(await socket.next());
}
