// The runner on BIRDs that are none (fake-bird.ts), and on a clock that stands still.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBird } from "../bird/bird.ts";
import type { Exec } from "../system/exec.ts";
import { CommandError } from "../system/exec.ts";
import { createFiles } from "../system/files.ts";
import { silentLogger } from "../system/logger.ts";
import { askSocket, watchSocket } from "../system/unix-socket.ts";
import { toMachineId } from "../testing/bird-fixture.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakeBirds, type FakeBirds } from "../testing/fake-bird.ts";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { type RoutedMeshFixture, routedMesh } from "../testing/routed-mesh-fixture.ts";
import { createMeshRouting, type MeshRouting } from "./mesh-routing.ts";

const NAME = "bkt-77";
const LAN = { prefixes: ["192.168.50.0/24"], machines: [2] };

let folder: string;
let clock: FakeClock;
let fake: FakeBirds;
let routing: MeshRouting;
let isInstalled: boolean;
let told: number;
const made: MeshRouting[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "becket-routing-"));
  clock = createFakeClock();
  fake = createFakeBirds(clock);
  isInstalled = true;
  told = 0;
  routing = create();
});
afterEach(async () => {
  for (const one of made.splice(0)) await one.stop();
  await fake.close();
  await rm(folder, { recursive: true });
});

function create(): MeshRouting {
  const exec: Exec = {
    run: (argv, options) => (isInstalled ? fake.exec.run(argv, options) : Promise.reject(toMissing(argv))),
  };
  const ports = { exec, files: createFiles(), clock, askSocket, watchSocket };
  const bird = createBird(ports, { folder, name: NAME, kernelMetric: 61_877 });
  const one = createMeshRouting({
    ...{ bird, logFile: `${folder}/${NAME}.log`, clock, random: () => 0.5, log: silentLogger },
    onFailure: () => told++,
  });
  made.push(one);
  return one;
}
function toMissing(argv: CommandError["argv"]): CommandError {
  return new CommandError({
    argv,
    exitCode: null,
    signal: null,
    stderr: "",
    timedOut: false,
    reason: "could not be run",
  });
}
function set(fixture: RoutedMeshFixture): void {
  const mesh = routedMesh(fixture);
  routing.set({ mesh, meshes: [mesh], leaving: [], machineId: toMachineId(1), isAnnounced: () => true });
}
const socketFile = () => `${folder}/${NAME}.ctl`;
const readConfig = () => readFile(`${folder}/${NAME}.conf`, "utf8");
/** Which members there are sessions with. */
const sessions = async () =>
  [...(await readConfig()).matchAll(/^protocol bgp mch_0*(\d+)/gm)].map(([, number]) => Number(number));
async function hasSessions(...numbers: number[]): Promise<void> {
  await routing.whenIdle();
  expect(await sessions()).toEqual(numbers);
}
/** Answers of BIRD take real time. */
async function pass(ms: number): Promise<void> {
  await routing.whenIdle();
  for (let passed = 0; passed < ms; passed += 2_000) {
    await clock.advance(2_000);
    await routing.whenIdle();
  }
}
const starts = () => fake.runs.filter((run) => run.includes(" -s ")).length;
const isRunning = () =>
  eventually(async () => expect(await askSocket(socketFile(), QUESTION)).toContain("up and running"), 20_000);
const QUESTION = { text: "show status\n", end: "running\n", timeoutMs: 1_000 };
async function isGone(): Promise<void> {
  await routing.whenIdle();
  expect(await createFiles().list(folder)).toEqual([]);
}
async function fails(code: string | null): Promise<void> {
  await routing.whenIdle();
  expect(routing.failure()?.code ?? null).toBe(code);
}

describe("the routing of a mesh", { timeout: 60_000 }, () => {
  it("runs a BIRD while there is something to route", async () => {
    set({ count: 3, announced: [LAN] });
    await hasSessions(2);
    set({ count: 3, announced: [{ ...LAN, machines: [2, 3] }] });
    await hasSessions(2, 3);
    expect(starts()).toBe(1);
    set({ count: 3 });
    await isGone();
    set({ count: 3, announced: [LAN] });
    await hasSessions(2);
    expect(starts()).toBe(2);
  });

  it("runs nothing at all where there is nothing to route", async () => {
    set({ count: 3 });
    await routing.stop();
    expect(fake.runs).toEqual([]);
  });

  it("works for the newest state when several come at once", async () => {
    for (let count = 3; count < 30; count++) set({ count, announced: [{ ...LAN, machines: [1] }] });
    await routing.whenIdle();
    expect(await sessions()).toHaveLength(28);
    expect(fake.runs.filter((run) => run.includes(" -p ")).length).toBeLessThan(4);
  });

  it("starts a BIRD that died at once, and one that dies again and again in a while", async () => {
    set({ announced: [LAN] });
    await isRunning();
    await routing.whenIdle();
    await clock.advance(31_000);
    await fake.kill(socketFile());
    await eventually(() => expect(starts()).toBe(2), 20_000);
    await isRunning();
    await fails(null);
    await fake.kill(socketFile());
    await eventually(() => expect(routing.failure()?.code).toBe("bird_died"), 20_000);
    expect(starts()).toBe(2);
    await clock.advance(60_000);
    await isRunning();
    expect(starts()).toBe(3);
    await fails(null);
  });

  it("has sessions bound again that lost their address, when it is told to look", async () => {
    set({ announced: [LAN] });
    await isRunning();
    await routing.whenIdle();
    fake.unbind(socketFile());
    const isBound = async () =>
      !(await askSocket(socketFile(), { text: "show protocols all\n", end: "0000 \n", timeoutMs: 1_000 }))?.includes(
        "Down",
      );
    await pass(120_000);
    expect(await isBound()).toBe(false);
    routing.look();
    await routing.whenIdle();
    expect(await isBound()).toBe(true);
    expect(starts()).toBe(1);
  });

  it("says what to do where there is no BIRD, and uses one that comes", async () => {
    isInstalled = false;
    set({ announced: [LAN] });
    await fails("bird_missing");
    expect(routing.failure()?.message).toMatch(/Install BIRD/);
    const since = routing.failure()?.since;
    await clock.advance(1_000);
    expect(routing.failure()?.since).toBe(since);
    isInstalled = true;
    await clock.advance(60_000);
    await hasSessions(2);
    await fails(null);
    expect(told).toBe(2);
  });

  it("takes over the BIRD that an agent before it left", async () => {
    set({ announced: [LAN] });
    await isRunning();
    await routing.stop();
    await isRunning();
    routing = create();
    set({ count: 3, announced: [{ ...LAN, machines: [2, 3] }] });
    await hasSessions(2, 3);
    expect(starts()).toBe(1);
  });

  it("removes what an agent before it left, where there is nothing to route any more", async () => {
    set({ announced: [LAN] });
    await isRunning();
    await routing.stop();
    routing = create();
    set({});
    await isGone();
  });

  it("ends BIRD when this machine leaves the mesh", async () => {
    set({ announced: [LAN] });
    await isRunning();
    await routing.leave();
    expect(await createFiles().list(folder)).toEqual([]);
    await clock.advance(60_000);
    expect(starts()).toBe(1);
  });

  it("goes into route reflector mode when all copies are there, and out of it when all sessions are", async () => {
    const mesh = { count: 4, announced: [{ ...LAN, machines: [1, 2] }], gateways: [3] };
    const letsCopiesBeTaken = async () => (await readConfig()).includes("bgp_large_community.add");
    set(mesh);
    await hasSessions(2, 3, 4);
    const direct = [{ prefix: "192.168.50.0/24", nextHop: "10.77.0.2" }];
    fake.establish(socketFile(), toMachineId(2), direct);
    expect(await letsCopiesBeTaken()).toBe(false);

    set({ ...mesh, routeReflectorMode: true });
    await pass(30_000);
    await hasSessions(2, 3, 4);
    expect(await letsCopiesBeTaken()).toBe(true);
    fake.establish(socketFile(), toMachineId(3));
    await pass(20_000);
    await hasSessions(2, 3, 4);
    fake.establish(socketFile(), toMachineId(3), direct);
    await pass(2_000);
    await hasSessions(3);
    set({ ...mesh, count: 5, routeReflectorMode: true });
    await hasSessions(3);

    set(mesh);
    await hasSessions(2, 3, 4);
    await pass(30_000);
    expect(await letsCopiesBeTaken()).toBe(true);
    await pass(40_000);
    expect(await letsCopiesBeTaken()).toBe(false);
    await hasSessions(2, 3, 4);
  });

  it("begins no sessions with members in route reflector mode", async () => {
    set({ count: 4, announced: [{ ...LAN, machines: [1, 2] }], gateways: [3], routeReflectorMode: true });
    await hasSessions(3);
  });

  it("ends a BFD watch in two steps", async () => {
    const bfd = async () => {
      await routing.whenIdle();
      return /^ {2}(bfd .*);$/m.exec(await readConfig())?.[1];
    };
    set({ count: 3, announced: [{ ...LAN, machines: [2, 3] }] });
    expect(await bfd()).toBe("bfd on");
    set({ count: 3, announced: [LAN] });
    expect(await bfd()).toBe("bfd { interval 60 s; }");
    await clock.advance(10_000);
    expect(await bfd()).toBeUndefined();
    await hasSessions(2);
  });
});
