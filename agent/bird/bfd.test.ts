// Sessions that watch their path: real BIRDs, two of them on machine a, which is in two meshes. Each wire stands for a mesh.
//
//   b (10.77.0.2) ── eth0: mesh 77 ── a (10.77.0.1 | 10.88.0.1) ── eth1: mesh 88 ── c (10.88.0.2)
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { birdConfig, birdMember, prefix, toMachineId } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import { in88 } from "../testing/second-mesh.ts";
import type { Bird } from "./bird.ts";
import type { BfdUse, BirdConfig } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const LAN = prefix("192.168.50.0/24");
const LAN_ROUTE = "192.168.50.0/24 via 10.77.0.2 src 10.77.0.1";
const WITHIN_MS = 10_000;
/** Less than the hold time of 9 s, so that it can't have been that. */
const BEFORE_HOLD_MS = 6_000;

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `real paths that are watched${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 40_000 },
  () => {
    let lab: BirdLab;
    let a: BirdMachine;
    let b: BirdMachine;
    let c: BirdMachine;
    let birds: { readonly a77: Bird; readonly a88: Bird; readonly b: Bird; readonly c: Bird };
    beforeAll(async () => {
      lab = createBirdLab();
      [a, b, c] = [await lab.openMachine(), await lab.openMachine(), await lab.openMachine()];
      await lab.join("eth0", [
        [a, "10.77.0.1/16"],
        [b, "10.77.0.2/16"],
      ]);
      await lab.join("eth1", [
        [a, "10.88.0.1/16"],
        [c, "10.88.0.2/16"],
      ]);
      birds = { a77: a.bird("eth0"), a88: a.bird("eth1", 5_202), b: b.bird("eth0"), c: c.bird("eth1", 5_202) };
    }, 30_000);
    afterAll(() => lab.close());

    async function apply(bird: Bird, config: BirdConfig): Promise<void> {
      expect(await bird.apply(renderConfig(config))).toMatchObject({ ok: true });
    }
    const config77 = (machine: BirdMachine, number: number, bfd: BfdUse): BirdConfig =>
      birdConfig(number, {
        interfaceName: "eth0",
        logFile: `${machine.folder}/log77`,
        members: [birdMember(3 - number, { bfd, prefixes: number === 1 ? [LAN] : [] })],
        announcements: number === 1 ? [] : [{ id: "lan", prefixes: [LAN], state: "announced" }],
      });
    const config88 = (machine: BirdMachine, number: number): BirdConfig =>
      in88(
        birdConfig(number, {
          interfaceName: "eth1",
          logFile: `${machine.folder}/log88`,
          members: [birdMember(3 - number, { bfd: "on" })],
        }),
      );
    /** `10.77.0.2 Up 0.300 0.900`: the neighbour, the state, the interval and the timeout. */
    async function watched(machine: BirdMachine, name: string): Promise<string[]> {
      const argv = ["birdc", "-s", `${machine.folder}/${name}.ctl`, "show bfd sessions"] as const;
      // It fails where the protocol is not configured.
      const { stdout } = await machine.namespace.exec.run(argv).catch(() => ({ stdout: "" }));
      const lines = stdout.split("\n").filter((line) => /^\d/.test(line));
      return lines
        .map((line) => line.trim().split(/\s+/))
        .map((words) => [words[0], words[2], ...words.slice(-2)].join(" "));
    }
    const session = async () => (await birds.a77.readProtocols())?.find(({ name }) => name === toMachineId(2));
    const hasRoutes = (routes: readonly string[], withinMs = WITHIN_MS) =>
      eventually(async () => expect(await a.kernelRoutes()).toEqual(routes), withinMs);
    const isUp = () =>
      eventually(async () => expect(await watched(a, "eth0")).toEqual(["10.77.0.2 Up 0.300 0.900"]), WITHIN_MS);

    it("has two BIRDs of one machine each watch with its own address", async () => {
      await apply(birds.a77, config77(a, 1, "on"));
      await apply(birds.a88, config88(a, 1));
      await apply(birds.b, config77(b, 2, "on"));
      await apply(birds.c, config88(c, 2));
      await isUp();
      await eventually(async () => expect(await watched(a, "eth1")).toEqual(["10.88.0.2 Up 0.300 0.900"]), WITHIN_MS);
      await hasRoutes([LAN_ROUTE]);
    });

    it("notices a path that is silent long before the hold time is over", async () => {
      await b.namespace.exec.run(["ip", "link", "set", "dev", "eth0", "down"]);
      await hasRoutes([], BEFORE_HOLD_MS);
      expect((await session())?.session?.lastError).toMatch(/BFD session down$/);
      await b.namespace.exec.run(["ip", "link", "set", "dev", "eth0", "up"]);
      await hasRoutes([LAN_ROUTE]);
      await isUp();
    });

    it("drops the routes of a BIRD that died, where others would wait for it", async () => {
      await b.kill("eth0");
      await hasRoutes([], BEFORE_HOLD_MS);
      await apply(birds.b, config77(b, 2, "on"));
      await hasRoutes([LAN_ROUTE]);
      await isUp();
    });

    it("begins and ends in a session that stays, though the ends do so one after the other", async () => {
      const since = (await session())?.sinceMs;
      await apply(birds.b, config77(b, 2, "ending"));
      const slow = ["10.77.0.2 Up 60.000 180.000"];
      await eventually(async () => expect(await watched(a, "eth0")).toEqual(slow));
      await apply(birds.b, config77(b, 2, "off"));
      await eventually(async () => expect(await watched(b, "eth0")).toEqual([]));
      expect(await watched(a, "eth0")).toEqual(slow);
      await apply(birds.a77, config77(a, 1, "off"));
      await apply(birds.a77, config77(a, 1, "on"));
      await apply(birds.b, config77(b, 2, "on"));
      await isUp();
      // BIRD may tell a time a millisecond earlier or later than before.
      expect((await session())?.sinceMs).toBeCloseTo(since ?? 0, -1);
      expect(await a.kernelRoutes()).toEqual([LAN_ROUTE]);
    });
  },
);
