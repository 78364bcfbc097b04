// A reflector and two members that know each other only by it: real BIRDs on one wire.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { birdConfig, birdMember, prefix } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import type { Bird } from "./bird.ts";
import type { BirdConfig, BirdMember, MemberSession } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const LAN = prefix("192.168.50.0/24");
const LAN6 = prefix("fd50::/48");
const ROUTES = ["192.168.50.0/24 via 10.77.0.2 src 10.77.0.1", "fd50::/48 via fd77::2 src fd77::1"];
const REFLECTOR = 9;
const WITHIN_MS = 10_000;

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `a real reflector${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 60_000 },
  () => {
    let lab: BirdLab;
    const machines = new Map<number, BirdMachine>();
    const birds = new Map<number, Bird>();
    beforeAll(async () => {
      lab = createBirdLab();
      for (const number of [1, 2, REFLECTOR]) {
        const machine = await lab.openMachine();
        machines.set(number, machine);
        birds.set(number, machine.bird("eth0"));
      }
      const toEnd = ([number, machine]: readonly [number, BirdMachine]) =>
        [machine, `10.77.0.${number}/16`, `fd77::${number}/64`] as const;
      await lab.join("eth0", [...machines].map(toEnd));
    }, 30_000);
    afterAll(() => lab.close());

    const of = <T>(all: ReadonlyMap<number, T>, number: number): T => {
      const one = all.get(number);
      if (one === undefined) throw new Error(`no machine ${number}`);
      return one;
    };
    async function apply(
      number: number,
      members: readonly BirdMember[],
      changes: Partial<BirdConfig> = {},
    ): Promise<void> {
      const logFile = `${of(machines, number).folder}/log`;
      const config = birdConfig(number, { interfaceName: "eth0", logFile, members, ...changes });
      expect(await of(birds, number).apply(renderConfig(config))).toMatchObject({ ok: true });
    }
    const announcements = (...prefixes: string[]) => [{ id: "lan", prefixes: prefixes.map(prefix), isEnabled: true }];
    const holder = (session: MemberSession) => birdMember(2, { session, prefixes: [LAN, LAN6] });
    const other = (number: number, session: MemberSession) => birdMember(number, { session });
    const routesOf1 = () => of(machines, 1).kernelRoutes();
    const sessionsOf = async (number: number) =>
      ((await of(birds, number).readProtocols()) ?? []).flatMap(({ session }) => session?.state ?? []);

    async function reflect(): Promise<void> {
      await apply(REFLECTOR, [other(1, "client"), holder("client")]);
      await apply(1, [holder("none"), other(REFLECTOR, "reflector")]);
      await apply(2, [other(1, "none"), other(REFLECTOR, "reflector")], { announcements: announcements(LAN, LAN6) });
    }

    it("brings a member's prefixes with that member as the next hop, over one session", async () => {
      await reflect();
      await eventually(async () => expect(await routesOf1()).toEqual(ROUTES), WITHIN_MS);
      expect(await sessionsOf(1)).toEqual(["Established"]);
    });

    it("refuses by a reflector what it refuses without, even if the reflector lets it through", async () => {
      const evil = ["0.0.0.0/0", "10.77.200.1/32", "10.77.0.1/32"].map(prefix);
      await apply(REFLECTOR, [
        other(1, "client"),
        birdMember(2, { session: "client", prefixes: [LAN, LAN6, ...evil] }),
      ]);
      await apply(2, [other(1, "none"), other(REFLECTOR, "reflector")], {
        announcements: announcements(LAN, LAN6, ...evil),
      });
      await eventually(async () => {
        const routes = (await of(birds, 1).readRoutes())?.filter(({ isFiltered }) => isFiltered);
        // The reflector itself, told all, does not take a member's address.
        expect(routes?.map((route) => route.prefix).sort()).toEqual(["0.0.0.0/0", "10.77.200.1/32"]);
      }, WITHIN_MS);
      expect(await routesOf1()).toEqual(ROUTES);
    });

    it("loses no route on the way to a full mesh and back, when the new sessions are up before the old go", async () => {
      const seen = new Set<string>();
      const look = async () => seen.add((await routesOf1()).join("\n"));
      const everybody = async (to2: MemberSession, to1: MemberSession, reflector: MemberSession) => {
        await apply(1, [holder(to2), other(REFLECTOR, reflector)]);
        await look();
        await apply(2, [other(1, to1), other(REFLECTOR, reflector)], { announcements: announcements(LAN, LAN6) });
        await look();
      };
      /** `bringing`: how many of them have brought the route of either family. */
      const waitForSessions = (count: number, bringing: number) =>
        eventually(async () => {
          await look();
          expect(await sessionsOf(1)).toEqual(Array(count).fill("Established"));
          const protocols = (await of(birds, 1).readProtocols())?.filter(({ session }) => session !== null) ?? [];
          const counts = protocols.map(({ channels }) => channels.map(({ importedCount }) => importedCount).join());
          expect(counts.filter((text) => text === "1,1").length, counts.join(" ")).toBe(bringing);
        }, WITHIN_MS);
      await reflect();
      await eventually(async () => expect(await routesOf1()).toEqual(ROUTES), WITHIN_MS);
      await everybody("peer", "peer", "reflector");
      await waitForSessions(2, 2);
      await everybody("peer", "peer", "peer");
      await waitForSessions(2, 1);
      await everybody("peer", "peer", "reflector");
      await waitForSessions(2, 2);
      await everybody("none", "none", "reflector");
      await waitForSessions(1, 1);
      expect([...seen]).toEqual([ROUTES.join("\n")]);
    });
  },
);
