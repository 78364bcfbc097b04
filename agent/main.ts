#!/usr/bin/env node
// The process: argv, environment, signals, exit code.

// First of all: it counts from the moment on in which it is read.
import "./system/spare-memory.ts";

import os from "node:os";
import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import { runCli } from "./local/cli.ts";
import { createPortMapper, PORT_MAPPER_TIMINGS } from "./net/port-mapper.ts";
import { chooseRouter } from "./net/port-mapping/choose-router.ts";
import { createRouterProtocols } from "./net/port-mapping/router-protocols.ts";
import { createClock } from "./system/clock.ts";
import { createExec, createHasProgram } from "./system/exec.ts";
import { createFiles } from "./system/files.ts";
import { createFollowProgram } from "./system/follow-program.ts";
import { createHttp } from "./system/http.ts";
import { listenHttp } from "./system/http-listener.ts";
import { createLocalSockets } from "./system/local-socket.ts";
import { createStderrLogger, LOG_LEVELS } from "./system/logger.ts";
import { listInterfaceAddresses } from "./system/network-interfaces.ts";
import { readSha256 } from "./system/own-build.ts";
import { createProbes } from "./system/probes/probes.ts";
import { createReadProcess } from "./system/process-usage.ts";
import { random, randomBytes } from "./system/random.ts";
import { resolveHost } from "./system/resolve-host.ts";
import { readInterfaceAddresses, readRouteTable } from "./system/route-table.ts";
import { expectTraffic } from "./system/spare-memory.ts";
import { createUdpSockets } from "./system/udp.ts";
import { isUdpPortFree } from "./system/udp-port.ts";
import { askSocket, watchSocket } from "./system/unix-socket.ts";

const { env } = process;
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
// A reader that goes away (`becket peers | head -1`) is no failure.
process.stdout.on("error", () => process.exit(0));
// A journal that is restarted must not take the agent along.
process.stderr.on("error", () => undefined);

const udp = createUdpSockets();
const log = createStderrLogger(LOG_LEVELS.find((level) => level === env.BECKET_LOG_LEVEL) ?? "info");

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    agent: {
      exec: createExec(env),
      followProgram: createFollowProgram(env),
      hasProgram: createHasProgram(env),
      askSocket,
      files: createFiles(),
      http: createHttp(env),
      clock: createClock(),
      random,
      log,
      listInterfaceAddresses,
      isUdpPortFree,
      birdSockets: { askSocket, watchSocket },
      probes: createProbes(),
      pathNetwork: {
        udp,
        randomBytes,
        resolveHost,
        expectTraffic,
        createPortMapper: (clock, deriveSecret) =>
          createPortMapper({
            readRouter: () => chooseRouter(readRouteTable(), readInterfaceAddresses()),
            // Routers are on this machine's own network: no proxy.
            protocols: createRouterProtocols({ udp, http: createHttp({}), clock, randomBytes, deriveSecret }),
            clock,
            timings: PORT_MAPPER_TIMINGS,
          }),
      },
      readProcess: createReadProcess(),
      host: {
        ...{ name: os.hostname(), nodeVersion: process.version, kernelVersion: os.release(), pid: process.pid },
        readBuildSha256: () => readSha256(process.argv[1] ?? ""),
      },
    },
    sockets: createLocalSockets(),
    listenHttp,
    env,
    isRoot: process.getuid?.() === 0,
    stopSignal: stop.signal,
    readStdin: (signal) => text(addAbortSignal(signal, process.stdin)),
    print: (line) => console.log(line),
    printError: (line) => console.error(line),
  });
} catch (error) {
  log.error("unexpected failure", { error });
  process.exitCode = 1;
}
