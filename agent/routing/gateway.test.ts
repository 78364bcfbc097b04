// Three meshes and a machine that is a gateway in all of them: real BIRDs, run as agents run them. Each wire stands for a mesh.
//
//   a ── mesh 77 ── g ── mesh 88 ── b
//                   │
//                mesh 99 ── c
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClock } from "../system/clock.ts";
import { createFiles } from "../system/files.ts";
import { silentLogger } from "../system/logger.ts";
import { askSocket, watchSocket } from "../system/unix-socket.ts";
import { toMachineId, toMeshId } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import { type RoutedMeshFixture, routedMesh } from "../testing/routed-mesh-fixture.ts";
import type { RoutedMesh } from "./routed-mesh.ts";
import { createRouting, type Routing } from "./routing.ts";

/** In each mesh this is the gateway, and the other member is its own. */
const GATEWAY = 1;
const MESHES = [77, 88, 99];
const LAN = { prefixes: ["192.168.50.0/24", "fd50::/48"], machines: [2] };
const WITHIN_MS = 15_000;

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `the routing of real meshes${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 60_000 },
  () => {
    let lab: BirdLab;
    let gateway: BirdMachine;
    const members = new Map<number, BirdMachine>();
    const routings = new Map<BirdMachine, Routing>();
    beforeAll(async () => {
      lab = createBirdLab();
      gateway = await lab.openMachine();
      for (const number of MESHES) {
        const member = await lab.openMachine();
        members.set(number, member);
        await lab.join(`bkt-${number}`, [
          [gateway, `10.${number}.0.1/16`, `fd${number}::1/64`],
          [member, `10.${number}.0.2/16`, `fd${number}::2/64`],
        ]);
      }
    }, 30_000);
    afterAll(async () => {
      for (const routing of routings.values()) await end(routing);
      await lab.close();
    });

    async function end(routing: Routing): Promise<void> {
      routing.stop();
      await routing.whenIdle();
    }
    const open = (machine: BirdMachine, number: number): Routing => {
      const { exec } = machine.namespace;
      const ports = { exec, files: createFiles(), clock: createClock(), askSocket, watchSocket };
      const routing = createRouting(
        { ...ports, random: () => 0.5, log: silentLogger },
        {
          ...{ machineId: toMachineId(number), runDir: machine.folder },
          health: { isAnnounced: () => true },
          onFailure: () => undefined,
        },
      );
      routings.set(machine, routing);
      return routing;
    };
    const mesh = (number: number, fixture: RoutedMeshFixture = {}): RoutedMesh =>
      routedMesh({ number, gateways: [GATEWAY], ...fixture });
    const withLan = () => [mesh(77, { announced: [LAN] }), mesh(88), mesh(99)];
    async function setAll(meshes: readonly RoutedMesh[]): Promise<void> {
      (routings.get(gateway) ?? open(gateway, GATEWAY)).setMeshes(meshes);
      for (const one of meshes) {
        const number = Number(one.device.interfaceName.slice(4));
        const member = members.get(number) ?? gateway;
        (routings.get(member) ?? open(member, 2)).setMeshes([one]);
      }
    }
    const routesOf = async (number: number) =>
      ((await members.get(number)?.kernelRoutes()) ?? []).map((route) => route.replace(/ via .*/, "")).sort();

    it("tells each mesh of the others, and of what their members announce", async () => {
      await setAll(withLan());
      await eventually(async () => {
        expect(await routesOf(77)).toEqual(["10.88.0.0/16", "10.99.0.0/16", "fd88::/64", "fd99::/64"]);
        const lan = ["192.168.50.0/24", "fd50::/48"];
        expect(await routesOf(88)).toEqual(["10.77.0.0/16", "10.99.0.0/16", ...lan, "fd77::/64", "fd99::/64"]);
        expect(await routesOf(99)).toEqual(["10.77.0.0/16", "10.88.0.0/16", ...lan, "fd77::/64", "fd88::/64"]);
      }, WITHIN_MS);
      const own = (await gateway.kernelRoutes()).map((route) => route.replace(/ src .*/, ""));
      expect(own).toEqual(["192.168.50.0/24 via 10.77.0.2", "fd50::/48 via fd77::2"]);
    });

    it("takes what came over the shortest way only", async () => {
      const lan = (await birdOf(88)?.readRoutes())?.filter((route) => route.prefix === "192.168.50.0/24");
      expect(lan?.filter(({ isBest }) => isBest).map(({ bgp }) => bgp?.asPath)).toEqual([["4200000077"]]);
    });
    const birdOf = (number: number) => routings.get(gateway)?.birdOf(toMeshId(number));

    it("starts a BIRD that died, and what it told is told again", async () => {
      await gateway.kill("bird/bkt-88");
      await eventually(async () => {
        expect((await birdOf(88)?.readStatus())?.state).toBe("running");
        expect(await routesOf(88)).toContain("192.168.50.0/24");
        expect((await birdOf(88)?.readRoutes())?.map((route) => route.prefix)).toContain("192.168.50.0/24");
      }, WITHIN_MS);
    });

    it("is told of no mesh any more that its gateway left, and the BIRD of that is gone", async () => {
      const [first, second, third] = withLan();
      if (first === undefined || second === undefined || third === undefined) throw new Error("three meshes");
      const routing = routings.get(gateway);
      routing?.setMeshes([first, second]);
      await routing?.leave(third.desired.mesh.id, third.device);
      await eventually(async () => expect(await routesOf(88)).not.toContain("10.99.0.0/16"), WITHIN_MS);
      expect((await createFiles().list(`${gateway.folder}/bird`)).join()).not.toMatch("bkt-99");
    });

    it("ends BIRDs that an agent before it left behind, and no others", async () => {
      const before = routings.get(gateway);
      if (before !== undefined) await end(before);
      const after = open(gateway, GATEWAY);
      after.endOthers(["bkt-77"]);
      await end(after);
      const files = (await createFiles().list(`${gateway.folder}/bird`)).filter((file) => file.endsWith(".ctl"));
      expect(files).toEqual(["bkt-77.ctl"]);
    });
  },
);
