// Each kind of check against real servers and real programs.
import { spawnSync } from "node:child_process";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HealthCheck } from "#schema/health-check";
import { createExec } from "../system/exec.ts";
import { createProbes } from "../system/probes/probes.ts";
import { eventually } from "../testing/eventually.ts";
import { makeCertificate } from "../testing/make-certificate.ts";
import { createRunCheck } from "./run-check.ts";

const runCheck = createRunCheck({ exec: createExec(process.env), probes: createProbes() });
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => sockets.add(socket));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const check = (value: object, signal = new AbortController().signal) =>
  runCheck(HealthCheck.parse(value), { self: "127.0.0.1", timeoutMs: 5_000, signal });

describe("tcp", () => {
  it("passes where something accepts connections", async () => {
    const port = await listen(net.createServer());
    expect(await check({ type: "tcp", target: `:${port}` })).toEqual({
      isSuccess: true,
      text: `127.0.0.1 port ${port} accepts connections`,
    });
  });

  it("fails where nothing listens, and says so", async () => {
    expect(await check({ type: "tcp", target: ":1" })).toMatchObject({
      isSuccess: false,
      text: expect.stringContaining("ECONNREFUSED 127.0.0.1:1"),
    });
  });

  it("fails for a name that is none", async () => {
    expect(await check({ type: "tcp", target: "no-such-host.invalid:80" })).toMatchObject({ isSuccess: false });
  });

  it("ends in the words of whoever ends it", async () => {
    const signal = AbortSignal.abort(new Error("no answer within 3 s"));
    expect(await check({ type: "tcp", target: ":1" }, signal)).toEqual({
      isSuccess: false,
      text: "no answer within 3 s",
    });
  });
});

describe("http", () => {
  it.each([
    [200, true],
    [204, true],
    [301, false],
    [404, false],
    [503, false],
  ])("takes %i for %s, and does not wait for the body's end", async (status, isSuccess) => {
    const asked: unknown[] = [];
    const port = await listen(
      http.createServer(({ url, headers }, reply) => {
        asked.push([url, headers.host]);
        reply.writeHead(status, { location: "/elsewhere" }).flushHeaders();
      }),
    );
    const text = `127.0.0.1:${port} answered ${status}`;
    expect(await check({ type: "http", target: `:${port}/healthz?deep=1` })).toEqual({ isSuccess, text });
    expect(asked).toEqual([["/healthz?deep=1", `127.0.0.1:${port}`]]);
  });

  it("gives up on a server that says nothing when the time is over", async () => {
    const port = await listen(net.createServer());
    const late = new AbortController();
    const running = check({ type: "http", target: `:${port}/` }, late.signal);
    late.abort(new Error("no answer within 3 s"));
    expect(await running).toEqual({ isSuccess: false, text: "no answer within 3 s" });
  });

  it("takes any certificate", async () => {
    const port = await listen(https.createServer(makeCertificate(), (_, reply) => reply.end()));
    expect(await check({ type: "https", target: `:${port}/` })).toMatchObject({ isSuccess: true });
    expect(await check({ type: "https", target: `localhost:${port}/` })).toMatchObject({ isSuccess: true });
    expect(await check({ type: "http", target: `:${port}/` })).toMatchObject({ isSuccess: false });
  });
});

describe("gRPC", () => {
  type Answer = (stream: http2.ServerHttp2Stream) => void;

  /** Answers as a gRPC server does: a message, and the status in the trailers. */
  const say =
    (message: readonly number[], grpcStatus = "0"): Answer =>
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": grpcStatus }));
      stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
    };

  async function serve(answer: Answer, tls?: ReturnType<typeof makeCertificate>) {
    const server = tls === undefined ? http2.createServer() : http2.createSecureServer(tls);
    const asked: unknown[] = [];
    server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
      stream.on("error", () => undefined);
      stream.on("data", (bytes: Buffer) =>
        asked.push([headers[":path"], headers["content-type"], headers.te, [...bytes]]),
      );
      stream.on("end", () => answer(stream));
    });
    return { port: await listen(server), asked };
  }

  it("asks the standard health service, and passes when that is serving", async () => {
    const { port, asked } = await serve(say([8, 1]));
    expect(await check({ type: "grpc", target: `:${port}` })).toEqual({
      isSuccess: true,
      text: "the server says SERVING",
    });
    expect(asked).toEqual([["/grpc.health.v1.Health/Check", "application/grpc", "trailers", [0, 0, 0, 0, 0]]]);
  });

  it.each([
    ["is not serving", say([8, 2]), "the server says NOT_SERVING"],
    ["does not know", say([]), "the server says UNKNOWN"],
    ["fails", say([8, 1], "14"), "gRPC status 14"],
    ["answers nonsense", say([1, 2, 3]), "the answer is no HealthCheckResponse"],
    [
      "has no health service",
      (stream) => stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true }),
      "the server has no health service (grpc.health.v1)",
    ],
    ["speaks no gRPC", (stream) => stream.respond({ ":status": 404 }, { endStream: true }), "no gRPC: HTTP status 404"],
  ] satisfies [string, Answer, string][])("fails when the server %s", async (_, answer, text) => {
    const { port } = await serve(answer);
    expect(await check({ type: "grpc", target: `:${port}` })).toEqual({ isSuccess: false, text });
  });

  it("takes any certificate", async () => {
    const { port } = await serve(say([8, 1]), makeCertificate());
    expect(await check({ type: "grpcs", target: `:${port}` })).toMatchObject({ isSuccess: true });
    expect(await check({ type: "grpc", target: `:${port}` })).toMatchObject({ isSuccess: false });
  });

  it.each(["grpc", "grpcs"])("fails where something else listens (%s)", async (type) => {
    const port = await listen(net.createServer((socket) => socket.end("220 hello\r\n").on("error", () => undefined)));
    expect(await check({ type, target: `:${port}` })).toMatchObject({ isSuccess: false });
    expect(await check({ type, target: ":1" })).toMatchObject({ isSuccess: false });
  });

  it("gives up on a server that says nothing when the time is over", async () => {
    const { port, asked } = await serve(() => undefined);
    const late = new AbortController();
    const running = check({ type: "grpc", target: `:${port}` }, late.signal);
    await eventually(async () => expect(asked).toHaveLength(1));
    late.abort(new Error("no answer within 3 s"));
    expect(await running).toEqual({ isSuccess: false, text: "no answer within 3 s" });
  });
});

describe("exec", () => {
  it("passes when the program exits with 0, gives it its arguments as they are, and no input", async () => {
    const script = '[ "$1" = "a; b" ] && [ -z "$(cat)" ]';
    expect(await check({ type: "exec", target: ["/bin/sh", "-c", script, "sh", "a; b"] })).toEqual({
      isSuccess: true,
      text: "/bin/sh exited with 0",
    });
  });

  it("fails with the exit code and the end of what the program says of it", async () => {
    expect(await check({ type: "exec", target: ["/bin/sh", "-c", "echo the disk is full >&2; exit 3"] })).toMatchObject(
      {
        isSuccess: false,
        text: expect.stringMatching(/exited with 3: the disk is full$/),
      },
    );
    expect(await check({ type: "exec", target: ["/no/such/program"] })).toMatchObject({
      isSuccess: false,
      text: expect.stringContaining("ENOENT"),
    });
  });

  it("leaves nothing running when the time is over", async () => {
    const late = new AbortController();
    const seconds = `${600 + Math.random()}`;
    const isRunning = () => spawnSync("pgrep", ["-f", `sleep ${seconds}`]).status === 0;
    const running = check({ type: "exec", target: ["/bin/sh", "-c", `sleep ${seconds} & wait`] }, late.signal);
    await eventually(async () => expect(isRunning()).toBe(true));
    late.abort(new Error("no answer within 3 s"));

    expect(await running).toEqual({ isSuccess: false, text: "no answer within 3 s" });
    await eventually(async () => expect(isRunning()).toBe(false));
  });
});
