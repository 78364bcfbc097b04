// Two real BIRDs on a wire with mesh addresses, and what one of them tries on the other.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFiles } from "../system/files.ts";
import { birdConfig, birdMember, prefix, toMachineId } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import type { Bird } from "./bird.ts";
import type { Announcement, BirdConfig } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const LAN = prefix("192.168.50.0/24");
const LAN6 = prefix("fd50::/48");
const VIP = prefix("10.77.200.1/32");
const LAN_ROUTE = "192.168.50.0/24 via 10.77.0.2 src 10.77.0.1";
const LAN6_ROUTE = "fd50::/48 via fd77::2 src fd77::1";
const HOLD_MS = 9_000;
/** These machines' two cores do other work meanwhile. */
const SLACK_MS = 5_000;

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `real sessions${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 40_000 },
  () => {
    let lab: BirdLab;
    let a: BirdMachine;
    let b: BirdMachine;
    let birdA: Bird;
    let birdB: Bird;
    beforeAll(async () => {
      lab = createBirdLab();
      a = await lab.openMachine();
      b = await lab.openMachine();
      await lab.join("eth0", [
        [a, "10.77.0.1/16", "fd77::1/64"],
        [b, "10.77.0.2/16", "fd77::2/64"],
      ]);
      birdA = a.bird("eth0");
      birdB = b.bird("eth0");
    });
    afterAll(() => lab.close());

    const configA = (prefixes = [LAN, LAN6]) =>
      renderConfig(
        birdConfig(1, {
          interfaceName: "eth0",
          logFile: `${a.folder}/log`,
          members: [birdMember(2, { prefixes }), birdMember(3, { prefixes: [VIP] })],
        }),
      );
    const announce = (...prefixes: string[]): Announcement => ({
      id: "lan",
      prefixes: prefixes.map(prefix),
      state: "announced",
    });
    const configB = (changes: Partial<BirdConfig> = {}) =>
      renderConfig(
        birdConfig(2, { interfaceName: "eth0", logFile: `${b.folder}/log`, members: [birdMember(1)], ...changes }),
      );
    const session = async () => (await birdA.readProtocols())?.find(({ name }) => name === toMachineId(2));
    const filtered = async () =>
      ((await birdA.readRoutes()) ?? []).filter(({ isFiltered }) => isFiltered).map(({ prefix }) => prefix);
    const hasRoutes = (routes: readonly string[], withinMs: number) =>
      eventually(async () => expect(await a.kernelRoutes()).toEqual(routes), withinMs);

    it("brings an authorised prefix of either family into the kernel within seconds", async () => {
      await birdA.apply(configA());
      await birdB.apply(configB({ announcements: [announce(LAN, LAN6)] }));
      await hasRoutes([LAN_ROUTE, LAN6_ROUTE], 3_000 + SLACK_MS);
      expect((await session())?.session).toMatchObject({ state: "Established", lastError: null });
    });

    it("refuses what the member was not given, and tells what", async () => {
      const evil = [
        "0.0.0.0/0",
        "10.77.0.1/32",
        "10.77.0.3/32",
        VIP,
        "10.77.0.0/16",
        "192.168.50.128/25",
        "::/0",
        "fd77::3/128",
      ];
      await birdB.apply(configB({ announcements: [announce(LAN, LAN6, ...evil)] }));
      await eventually(async () => expect((await filtered()).sort()).toEqual([...evil].sort()));
      expect(await a.kernelRoutes()).toEqual([LAN_ROUTE, LAN6_ROUTE]);
      expect((await session())?.channels).toMatchObject([
        { name: "ipv4", importedCount: 1, filteredCount: 6 },
        { name: "ipv6", importedCount: 1, filteredCount: 2 },
      ]);
    });

    it("refuses an authorised prefix with another's next hop", async () => {
      const honest = configB({ announcements: [announce(LAN, LAN6)] });
      const elsewhere = honest.replace(
        'export where source = RTS_STATIC && proto != "mesh_ipv4";',
        "export filter { bgp_next_hop = 10.77.0.3; accept; };",
      );
      expect(elsewhere).not.toBe(honest);
      await birdB.apply(elsewhere);
      await hasRoutes([LAN6_ROUTE], SLACK_MS);
      expect(await filtered()).toEqual([LAN]);
      await birdB.apply(honest);
      await hasRoutes([LAN_ROUTE, LAN6_ROUTE], SLACK_MS);
    });

    it("keeps only so many of a flood, and the session", async () => {
      const since = (await session())?.sinceMs ?? 0;
      const flood = Array.from({ length: 5_000 }, (_, number) => `172.${16 + (number >> 8)}.${number & 255}.0/24`);
      const apart = { ...announce(...flood), id: "flood" };
      await birdB.apply(configB({ announcements: [announce(LAN, LAN6), apart] }));
      await eventually(async () => expect((await session())?.channels[0]?.filteredCount).toBe(64));
      expect(await a.kernelRoutes()).toEqual([LAN_ROUTE, LAN6_ROUTE]);
      await birdB.apply(configB({ announcements: [announce(LAN, LAN6)] }));
      await eventually(async () => expect((await session())?.channels[0]?.filteredCount).toBe(0));
      expect(Math.abs(((await session())?.sinceMs ?? 0) - since)).toBeLessThan(10);
    });

    it("takes in what is authorised later, and drops what no longer is, in the same session", async () => {
      const since = (await session())?.sinceMs ?? 0;
      await birdA.apply(configA([LAN6]));
      await hasRoutes([LAN6_ROUTE], 1_000 + SLACK_MS);
      await birdA.apply(configA());
      await hasRoutes([LAN_ROUTE, LAN6_ROUTE], 1_000 + SLACK_MS);
      expect(Math.abs(((await session())?.sinceMs ?? 0) - since)).toBeLessThan(10);
    });

    it("follows a withdrawal within a second", async () => {
      const disabled = { ...announce(LAN, LAN6), state: "withheld" as const };
      await birdB.apply(configB({ announcements: [disabled] }));
      await hasRoutes([], 1_000);
      await birdB.apply(configB({ announcements: [announce(LAN, LAN6)] }));
      await hasRoutes([LAN_ROUTE, LAN6_ROUTE], 1_000 + SLACK_MS);
    });

    it("still takes what the member hands over, as the last choice, in the same session", async () => {
      const since = (await session())?.sinceMs ?? 0;
      const preferences = async () =>
        ((await birdA.readRoutes()) ?? []).map(({ prefix, bgp }) => `${prefix} ${bgp?.localPreference}`);
      const seen = new Set<string>();
      const becomes = async (announcement: Announcement, wanted: readonly string[]) => {
        await birdB.apply(configB({ announcements: [announcement] }));
        await eventually(async () => {
          seen.add((await a.kernelRoutes()).join("\n"));
          expect(await preferences()).toEqual(wanted);
        });
      };
      await becomes({ ...announce(LAN, LAN6), state: "leaving" }, [`${LAN} 0`, `${LAN6} 0`]);
      await becomes(announce(LAN, LAN6), [`${LAN} 100`, `${LAN6} 100`]);
      expect([...seen]).toEqual([[LAN_ROUTE, LAN6_ROUTE].join("\n")]);
      expect(Math.abs(((await session())?.sinceMs ?? 0) - since)).toBeLessThan(10);
    });

    it("loses no route when its own BIRD dies and is started again", async () => {
      await a.kill("eth0");
      expect(await birdA.apply(configA())).toEqual({ ok: true, value: "restarted" });
      const seen = new Set<string>();
      // It tidies the kernel's routes when it says that the restart is over.
      await eventually(async () => {
        seen.add((await a.kernelRoutes()).join("\n"));
        expect((await session())?.channels[0]?.importedCount).toBe(1);
        expect(await createFiles().read(`${a.folder}/log`)).toMatch(/Graceful (restart|recovery) done/);
      }, 15_000);
      seen.add((await a.kernelRoutes()).join("\n"));
      expect([...seen]).toEqual([[LAN_ROUTE, LAN6_ROUTE].join("\n")]);
    });

    it("keeps the routes of a member whose BIRD died and comes back", async () => {
      await b.kill("eth0");
      await eventually(async () => expect((await session())?.session?.isRestarting).toBe(true));
      expect(await a.kernelRoutes()).toEqual([LAN_ROUTE, LAN6_ROUTE]);
      await birdB.apply(configB({ announcements: [announce(LAN, LAN6)] }));
      await eventually(async () => expect((await session())?.session?.state).toBe("Established"), 10_000);
      expect(await a.kernelRoutes()).toEqual([LAN_ROUTE, LAN6_ROUTE]);
    });

    it("drops the routes of a member that went silent, when the hold time is over", async () => {
      await b.namespace.exec.run(["ip", "link", "set", "dev", "eth0", "down"]);
      await hasRoutes([], HOLD_MS + SLACK_MS);
      expect((await session())?.session?.lastError).toMatch(/Hold timer expired/);
      await b.namespace.exec.run(["ip", "link", "set", "dev", "eth0", "up"]);
      await b.namespace.exec.run(["ip", "address", "replace", "fd77::2/64", "dev", "eth0", "nodad"]);
      await hasRoutes([LAN_ROUTE, LAN6_ROUTE], 10_000);
    });

    it("comes up when the mesh's address appears after BIRD", async () => {
      await birdA.stop();
      expect(await a.kernelRoutes()).toEqual([]);
      const address = ["10.77.0.1/16", "dev", "eth0"] as const;
      await a.namespace.exec.run(["ip", "address", "delete", ...address]);
      await birdA.apply(configA());
      await eventually(async () => expect((await session())?.session?.lastError).toMatch(/listening socket/));
      await a.namespace.exec.run(["ip", "address", "add", ...address]);
      await birdA.apply(configA());
      await hasRoutes([LAN_ROUTE, LAN6_ROUTE], 10_000);
    });

    it("takes its routes along when it is stopped, and those of one that died", async () => {
      await a.kill("eth0");
      expect(await a.kernelRoutes()).toEqual([LAN_ROUTE, LAN6_ROUTE]);
      await birdA.stop();
      expect(await a.kernelRoutes()).toEqual([]);
    });

    it("leaves the routes of another BIRD alone, from its start to its end", async () => {
      const foreign = ["172.30.0.0/16", "dev", "eth0", "proto", "bird", "metric", "32"] as const;
      await a.namespace.exec.run(["ip", "route", "add", ...foreign]);
      await birdA.apply(configA());
      await eventually(async () => expect(await a.kernelRoutes()).toContain(LAN_ROUTE), 10_000);
      await birdA.stop();
      const { stdout } = await a.namespace.exec.run(["ip", "route", "show", "proto", "bird"]);
      expect(stdout.trim()).toBe("172.30.0.0/16 dev eth0 scope link metric 32");
    });
  },
);
