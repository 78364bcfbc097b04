// A control plane on a real port of this machine: the machine API with both transports, real tokens, and levers for everything that can
// go wrong. Its state is in memory and outlives `goDown`.
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import type { MachineId, MeshId } from "#schema/ids";
import { CLOSE_CODES } from "#schema/wire/close-codes";
import { AGENT_PATHS, EnrolmentRequest } from "#schema/wire/enrolment";
import { PING, PONG } from "#schema/wire/messages";
import { createFakeIdentities, type FakeIdentities } from "./fake-identities.ts";
import { createFakeMachine, createFakeMesh, type FakeMachine, type FakeMesh, type FakeObject } from "./fake-objects.ts";
import { createFakeRelay, type FakeRelay } from "./fake-relay.ts";
import { testMachineId, testMeshId } from "./mesh-model.ts";
import { verifyMachineToken } from "./verify-machine-token.ts";

export interface FakeControlPlane {
  readonly url: string;
  /** Of the machine that enrols as `host-1`. */
  readonly machine: FakeMachine;
  readonly machineId: MachineId;
  /** A place for another machine, which enrols as `host-NUMBER`. */
  addMachine(number: number): MachineId;
  readonly relay: FakeRelay;
  readonly identities: FakeIdentities;
  /** Makes a mesh; with `isMember` the first machine is in it and told so. */
  addMesh(index: number, options?: { readonly isMember?: boolean }): FakeMesh;
  join(mesh: FakeMesh, machineId?: MachineId): void;
  /** Takes the machine out of the mesh, as the API would. */
  leave(mesh: FakeMesh): void;
  removeMachine(): void;
  goDown(): Promise<void>;
  goUp(): Promise<void>;
  close(): Promise<void>;
  /** Sends this text on every socket of the path, and as the answer to every poll that is held there. */
  sendRaw(path: string, text: string): void;
  /** Closes every socket of the path. */
  closeSockets(path: string, code: number): void;
  connections(): readonly { readonly path: string; readonly transport: "websocket" | "long-poll" }[];
  readonly levers: Levers;
  /** Every request: `POST /agent/v1/enrolments 201`. */
  readonly requests: string[];
}

export interface Levers {
  /** What the server's clock says. */
  now: () => number;
  /** A proxy that knows no upgrade answers instead. */
  blocksWebSockets: boolean;
  /** Upgrades are refused with this problem. */
  refuseSockets: ErrorCode | null;
  /** Sockets fall silent: no pong, no answer. */
  isMute: boolean;
  /** Sockets answer pings, as the runtime does without the object. */
  answersOnlyPings: boolean;
  /** Sockets open and are cut at once. */
  killsSockets: boolean;
  /** Answers the next requests with this status, and Retry-After where given. */
  failNext: { times: number; status: number; code?: ErrorCode; retryAfter?: string };
  enrolment: ErrorCode | null;
}

interface Link {
  readonly path: string;
  readonly transport: "websocket" | "long-poll";
  readonly machineId: MachineId;
  send(message: object): void;
  sendRaw(text: string): void;
  close(code: number): void;
}

interface Enrolled {
  readonly name: string;
  /** Its address in each mesh, counted from the first. */
  readonly host: number;
  readonly machine: FakeMachine;
}

export async function createFakeControlPlane(now: () => number = () => Date.now()): Promise<FakeControlPlane> {
  const links = new Set<Link>();
  const objects = new Map<string, FakeObject>();
  const meshes = new Map<MeshId, FakeMesh>();
  const machines = new Map<MachineId, Enrolled>();
  const relay = await createFakeRelay();
  const identities = createFakeIdentities((id) => machineOf(id).machine.setDueIdentityKey(null));
  const requests: string[] = [];
  const seen = new Set<string>();
  const levers: Levers = {
    now,
    blocksWebSockets: false,
    refuseSockets: null,
    isMute: false,
    answersOnlyPings: false,
    killsSockets: false,
    failNext: { times: 0, status: 503 },
    enrolment: null,
  };
  let url = "";
  let server: http.Server | null = null;
  const sockets = new Set<Duplex>();

  const publishTo = (path: string) => (message: object, except?: MachineId | undefined) => {
    for (const link of [...links]) if (link.path === path && link.machineId !== except) link.send(message);
  };
  const closeSockets = (path: string, code: number) =>
    [...links].filter((link) => link.path === path).forEach((link) => void link.close(code));
  const linksOf = (machineId: MachineId, path: string) =>
    [...links].filter((link) => link.machineId === machineId && link.path === path);
  const tellOn = (path: string) => (machineId: MachineId, message: object) => {
    const newest = linksOf(machineId, path).at(-1);
    newest?.send(message);
    return newest !== undefined;
  };

  function addMachine(number: number): MachineId {
    const id = testMachineId(number);
    const publish = (message: object) => {
      for (const link of linksOf(id, AGENT_PATHS.machineSync)) link.send(message);
    };
    const name = `host-${number}`;
    machines.set(id, { name, host: 199 + number, machine: createFakeMachine(name, publish) });
    return id;
  }
  const machineOf = (id: MachineId): Enrolled => {
    const found = machines.get(id);
    if (found === undefined) throw new Error(`nobody added ${id}`);
    return found;
  };
  const machineId = addMachine(1);
  const { machine } = machineOf(machineId);
  const findObject = (path: string, caller: MachineId): FakeObject | undefined =>
    path === AGENT_PATHS.machineSync ? machines.get(caller)?.machine : objects.get(path);

  /** What stands in the way of a request, or who sent it. */
  function authenticate(request: http.IncomingMessage, path: string, body = ""): MachineId | ErrorCode {
    const claims = verifyMachineToken({
      header: request.headers.authorization,
      method: request.method ?? "",
      path,
      audience: url,
      nowMs: levers.now(),
      keysOf: (id) => identities.signersOf(id, path === AGENT_PATHS.identityKey ? body : ""),
      seen,
    });
    if (typeof claims === "string") return claims as ErrorCode;
    const { iss } = claims;
    const refusal = machines.get(iss)?.machine.refuse(iss) ?? findObject(path, iss)?.refuse(iss) ?? null;
    return (refusal as ErrorCode | null) ?? claims.iss;
  }

  function handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
    const reply = (status: number, body: unknown, headers: http.OutgoingHttpHeaders = {}) => {
      requests.push(`${request.method} ${pathname} ${status}`);
      response.writeHead(status, { date: new Date(levers.now()).toUTCString(), ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    const refuse = (code: ErrorCode, headers = {}) => reply(ERROR_STATUS[code], { code, title: code }, headers);
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      if (levers.failNext.times-- > 0) {
        const { status, code, retryAfter } = levers.failNext;
        const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
        return reply(status, code === undefined ? "<html>" : { code, title: code }, headers);
      }
      if (pathname === AGENT_PATHS.enrolments) return enrol(text, reply, refuse);
      const caller = authenticate(request, pathname, text);
      const lose = () => response.destroy();
      if (pathname === AGENT_PATHS.identityKey) return identities.answer(caller, text, { reply, refuse, lose });
      if (pathname !== AGENT_PATHS.machineSync && !objects.has(pathname)) return reply(404, "<html>not found</html>");
      const object = findObject(pathname, caller as MachineId);
      if (object === undefined || caller in ERROR_STATUS) return refuse(caller as ErrorCode);
      if (request.method === "POST") {
        const { messages } = JSON.parse(text) as { messages: unknown[] };
        return reply(200, { messages: messages.flatMap((each) => object.receive(caller as MachineId, each) ?? []) });
      }
      hold(object, caller as MachineId, pathname, searchParams, response, reply);
    });
  }

  function enrol(
    text: string,
    reply: (status: number, body: unknown) => void,
    refuse: (code: ErrorCode) => unknown,
  ): unknown {
    const body = EnrolmentRequest.safeParse(JSON.parse(text));
    if (!body.success) return refuse("validation_failed");
    if (levers.enrolment !== null) return refuse(levers.enrolment);
    const [id] = [...machines].find(([, { name }]) => name === body.data.hostname) ?? [machineId];
    identities.setKey(id, body.data.identityKey);
    const { name, meshes: joined } = machineOf(id).machine.state();
    reply(201, { machineId: id, name, meshes: joined });
  }

  function hold(
    object: FakeObject,
    caller: MachineId,
    path: string,
    query: URLSearchParams,
    response: http.ServerResponse,
    reply: (status: number, body: unknown) => unknown,
  ): unknown {
    const news = object.poll(query);
    if (news.length > 0 || query.get("wait") === "0") return reply(200, { messages: news });
    const link: Link = {
      path,
      transport: "long-poll",
      machineId: caller,
      send: (message) => links.delete(link) && reply(200, { messages: [message] }),
      sendRaw: (text) => links.delete(link) && reply(200, text),
      // What a poll is told instead of a close code.
      close: () => {
        if (!links.delete(link)) return;
        const code = object.refuse(caller) ?? machines.get(caller)?.machine.refuse(caller) ?? null;
        if (code === null) response.destroy();
        else reply(403, { code, title: code });
      },
    };
    links.add(link);
    response.on("close", () => links.delete(link));
  }

  const acceptor = new WebSocketServer({ noServer: true });
  function upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): unknown {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    const refuse = (status: number, body: string) => {
      requests.push(`UPGRADE ${path} ${status}`);
      socket.end(
        `HTTP/1.1 ${status} No\r\ndate: ${new Date(levers.now()).toUTCString()}\r\nconnection: close\r\n\r\n${body}`,
      );
    };
    if (levers.blocksWebSockets) return refuse(400, "<html>what is an upgrade?</html>");
    if (relay.accept(request, socket, head)) return;
    const caller = levers.refuseSockets ?? authenticate(request, path);
    if (caller in ERROR_STATUS) return refuse(ERROR_STATUS[caller as ErrorCode], JSON.stringify({ code: caller }));
    const object = findObject(path, caller as MachineId);
    if (object === undefined) return refuse(404, "<html>");
    acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      requests.push(`UPGRADE ${path} 101`);
      if (levers.killsSockets) return webSocket.terminate();
      const link: Link = {
        path,
        transport: "websocket",
        machineId: caller as MachineId,
        send: (message) => webSocket.send(JSON.stringify(message)),
        sendRaw: (text) => webSocket.send(text),
        close: (code) => webSocket.close(code, "test"),
      };
      links.add(link);
      webSocket.on("close", () => links.delete(link));
      webSocket.on("message", (data) => {
        if (levers.isMute) return;
        if (data.toString() === PING) return webSocket.send(PONG);
        if (levers.answersOnlyPings) return;
        const replies = object.receive(link.machineId, JSON.parse(data.toString()));
        if (replies === null) return webSocket.close(CLOSE_CODES.badMessage, "test");
        for (const message of replies) link.send(message);
      });
    });
  }

  async function goUp(): Promise<void> {
    const next = http.createServer(handle).on("upgrade", upgrade);
    next.on("connection", (socket) => {
      sockets.add(socket);
      // After an upgrade the server listens to no errors of its own; a client may go away at any moment.
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    });
    const port = url === "" ? 0 : Number(new URL(url).port);
    await new Promise<void>((resolve) => next.listen(port, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(next.address() as AddressInfo).port}`;
    server = next;
  }
  async function goDown(): Promise<void> {
    const closing = server;
    server = null;
    for (const socket of sockets) socket.destroy();
    links.clear();
    await new Promise<void>((resolve) => (closing === null ? resolve() : closing.close(() => resolve())));
  }
  function setMembership(mesh: FakeMesh, who: FakeMachine, isMember: boolean): void {
    const { id, name } = mesh.model.desired().mesh;
    const others = who.state().meshes.filter(({ meshId }) => meshId !== id);
    who.setMeshes(isMember ? [...others, { meshId: id, name }] : others);
  }
  function makeMesh(index: number): FakeMesh {
    const path = AGENT_PATHS.meshSync(testMeshId(index));
    const createTicket = () => {
      const ticket = `ticket-${relay.tickets.size}`;
      relay.tickets.add(ticket);
      return ticket;
    };
    const isConnected = (id: MachineId) => linksOf(id, path).length > 0;
    const ports = { publish: publishTo(path), tell: tellOn(path), isConnected, now: () => levers.now(), createTicket };
    const mesh = createFakeMesh(index, ports);
    meshes.set(mesh.model.meshId, mesh);
    objects.set(path, mesh);
    return mesh;
  }

  await goUp();
  const plane: FakeControlPlane = {
    url,
    machine,
    machineId,
    addMachine,
    relay,
    identities,
    levers,
    requests,
    goUp,
    goDown,
    async close() {
      await goDown();
      await relay.close();
    },
    closeSockets,
    connections: () => [...links].map(({ path, transport }) => ({ path, transport })),
    addMesh(index, { isMember = true } = {}) {
      const mesh = meshes.get(testMeshId(index)) ?? makeMesh(index);
      if (isMember) plane.join(mesh);
      return mesh;
    },
    join(mesh, id = machineId) {
      const { name, host, machine: who } = machineOf(id);
      mesh.addMember(id, name, host);
      setMembership(mesh, who, true);
    },
    leave(mesh) {
      const path = AGENT_PATHS.meshSync(mesh.model.meshId);
      mesh.removeMember(machineId);
      publishTo(path)({ type: "mesh.left", meshId: mesh.model.meshId, reason: "removed" });
      closeSockets(path, CLOSE_CODES.removed);
      setMembership(mesh, machine, false);
    },
    removeMachine() {
      machine.remove();
      for (const path of [AGENT_PATHS.machineSync, ...objects.keys()]) closeSockets(path, CLOSE_CODES.removed);
    },
    sendRaw(path, text) {
      for (const link of [...links]) if (link.path === path) link.sendRaw(text);
    },
  };
  return plane;
}
