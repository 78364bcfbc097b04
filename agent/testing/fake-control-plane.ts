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
import { createFakeMachine, createFakeMesh, type FakeMachine, type FakeMesh, type FakeObject } from "./fake-objects.ts";
import { testMachineId } from "./mesh-model.ts";
import { verifyMachineToken } from "./verify-machine-token.ts";

export interface FakeControlPlane {
  readonly url: string;
  readonly machine: FakeMachine;
  readonly machineId: MachineId;
  /** Makes a mesh; with `isMember` the enrolled machine is in it and told so. */
  addMesh(index: number, options?: { readonly isMember?: boolean }): FakeMesh;
  join(mesh: FakeMesh): void;
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

export async function createFakeControlPlane(now: () => number = () => Date.now()): Promise<FakeControlPlane> {
  const links = new Set<Link>();
  const objects = new Map<string, FakeObject>();
  const meshes = new Map<MeshId, FakeMesh>();
  const machineId = testMachineId(1);
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
  let identityKey: string | null = null;
  let url = "";
  let server: http.Server | null = null;
  const sockets = new Set<Duplex>();

  const publishTo = (path: string) => (message: object, except?: MachineId | undefined) => {
    for (const link of [...links]) if (link.path === path && link.machineId !== except) link.send(message);
  };
  const closeSockets = (path: string, code: number) => {
    for (const link of [...links]) if (link.path === path) link.close(code);
  };
  const machine = createFakeMachine("host-1", publishTo(AGENT_PATHS.machineSync));
  objects.set(AGENT_PATHS.machineSync, machine);

  /** What stands in the way of a request, or who sent it. */
  function authenticate(request: http.IncomingMessage, path: string): MachineId | ErrorCode {
    const claims = verifyMachineToken({
      header: request.headers.authorization,
      method: request.method ?? "",
      path,
      audience: url,
      nowMs: levers.now(),
      findKey: (id) => (id === machineId ? identityKey : null),
      seen,
    });
    if (typeof claims === "string") return claims as ErrorCode;
    const refusal = machine.refuse(claims.iss) ?? objects.get(path)?.refuse(claims.iss) ?? null;
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
      const object = objects.get(pathname);
      if (object === undefined) return reply(404, "<html>not found</html>");
      const caller = authenticate(request, pathname);
      if (caller in ERROR_STATUS) return refuse(caller as ErrorCode);
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
    identityKey = body.data.identityKey;
    const { name, meshes: joined } = machine.state();
    reply(201, { machineId, name, meshes: joined });
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
        const code = object.refuse(caller) ?? machine.refuse(caller);
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
    const caller = levers.refuseSockets ?? authenticate(request, path);
    if (caller in ERROR_STATUS) return refuse(ERROR_STATUS[caller as ErrorCode], JSON.stringify({ code: caller }));
    const object = objects.get(path);
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
  function setMembership(mesh: FakeMesh, isMember: boolean): void {
    const { id, name } = mesh.model.desired().mesh;
    const others = machine.state().meshes.filter(({ meshId }) => meshId !== id);
    machine.setMeshes(isMember ? [...others, { meshId: id, name }] : others);
  }

  await goUp();
  const plane: FakeControlPlane = {
    url,
    machine,
    machineId,
    levers,
    requests,
    goUp,
    goDown,
    close: goDown,
    closeSockets,
    connections: () => [...links].map(({ path, transport }) => ({ path, transport })),
    addMesh(index, { isMember = true } = {}) {
      let mesh = meshes.get(createFakeMesh(index, () => {}).model.meshId);
      if (mesh === undefined) {
        const path = AGENT_PATHS.meshSync(createFakeMesh(index, () => {}).model.meshId);
        mesh = createFakeMesh(index, publishTo(path));
        meshes.set(mesh.model.meshId, mesh);
        objects.set(path, mesh);
      }
      if (isMember) plane.join(mesh);
      return mesh;
    },
    join(mesh) {
      mesh.addMember(machineId, "host-1", 200);
      setMembership(mesh, true);
    },
    leave(mesh) {
      const path = AGENT_PATHS.meshSync(mesh.model.meshId);
      mesh.removeMember(machineId);
      publishTo(path)({ type: "mesh.left", meshId: mesh.model.meshId, reason: "removed" });
      closeSockets(path, CLOSE_CODES.removed);
      setMembership(mesh, false);
    },
    removeMachine() {
      machine.remove();
      for (const path of objects.keys()) closeSockets(path, CLOSE_CODES.removed);
    },
    sendRaw(path, text) {
      for (const link of [...links]) if (link.path === path) link.sendRaw(text);
    },
  };
  return plane;
}
