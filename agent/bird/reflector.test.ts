// A gateway and two members, which also peer with each other or do not: real BIRDs on one wire.
import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { birdConfig, birdMember, prefix, toMachineId } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import type { Namespace } from "../testing/namespace.ts";
import type { Bird } from "./bird.ts";
import type { BirdConfig, BirdMember } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const LAN = prefix("192.168.50.0/24");
const LAN6 = prefix("fd50::/48");
const ROUTES = ["192.168.50.0/24 via 10.77.0.2 src 10.77.0.1", "fd50::/48 via fd77::2 src fd77::1"];
const GATEWAY = 9;
const WITHIN_MS = 10_000;

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `a real gateway that reflects${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 60_000 },
  () => {
    let lab: BirdLab;
    const machines = new Map<number, BirdMachine>();
    const birds = new Map<number, Bird>();
    beforeAll(async () => {
      lab = createBirdLab();
      for (const number of [1, 2, GATEWAY]) {
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
    const announcements = (...prefixes: string[]) => [
      { id: "lan", prefixes: prefixes.map(prefix), state: "announced" as const },
    ];
    const gateway = birdMember(GATEWAY, { isGateway: true });
    const holder = (changes: Partial<BirdMember> = {}) => birdMember(2, { prefixes: [LAN, LAN6], ...changes });
    const routesOf1 = () => of(machines, 1).kernelRoutes();
    const sessionsOf = async (number: number) =>
      ((await of(birds, number).readProtocols()) ?? []).flatMap(({ session }) => session?.state ?? []);

    async function applyAll(hasSession: boolean, isReflected = true): Promise<void> {
      await apply(GATEWAY, [birdMember(1), holder()], { isGateway: true });
      await apply(1, [holder({ hasSession }), gateway]);
      const announcing = { announcements: announcements(LAN, LAN6), isReflected };
      await apply(2, [birdMember(1, { hasSession }), gateway], announcing);
    }

    it("brings a member's prefixes with that member as the next hop, over one session", async () => {
      await applyAll(false);
      await eventually(async () => expect(await routesOf1()).toEqual(ROUTES), WITHIN_MS);
      expect(await sessionsOf(1)).toEqual(["Established"]);
    });

    it("refuses by a gateway what it refuses without, even if the gateway lets it through", async () => {
      const evil = ["0.0.0.0/0", "10.77.200.1/32", "10.77.0.1/32"].map(prefix);
      await apply(GATEWAY, [birdMember(1), holder({ prefixes: [LAN, LAN6, ...evil] })], { isGateway: true });
      await apply(2, [birdMember(1, { hasSession: false }), gateway], {
        ...{ announcements: announcements(LAN, LAN6, ...evil), isReflected: true },
      });
      await eventually(async () => {
        const routes = (await of(birds, 1).readRoutes())?.filter(({ isFiltered }) => isFiltered);
        // The gateway itself, told all, does not take a member's address.
        expect(routes?.map((route) => route.prefix).sort()).toEqual(["0.0.0.0/0", "10.77.200.1/32"]);
      }, WITHIN_MS);
      expect(await routesOf1()).toEqual(ROUTES);
    });

    it("loses no route on the way to sessions between members and back, whoever is first", async () => {
      await applyAll(false);
      await eventually(async () => expect(await routesOf1()).toEqual(ROUTES), WITHIN_MS);
      const changes = await watchRoutes(of(machines, 1).namespace);
      const waitForCopies = (count: number) =>
        eventually(async () => {
          const routes = (await of(birds, 1).readRoutes())?.filter((route) => !route.isFiltered) ?? [];
          expect(routes.map((route) => route.prefix).sort()).toEqual([
            ...Array(count).fill(LAN),
            ...Array(count).fill(LAN6),
          ]);
        }, WITHIN_MS);
      await applyAll(true);
      await waitForCopies(2);
      const direct = (await of(birds, 1).readRoutes())?.filter(({ isBest }) => isBest).map(({ protocol }) => protocol);
      expect(direct).toEqual([toMachineId(2), toMachineId(2)]);
      await applyAll(false);
      await waitForCopies(1);
      await applyAll(true);
      await waitForCopies(2);
      expect(await routesOf1()).toEqual(ROUTES);
      expect(changes.stop().filter((line) => line.startsWith("Deleted"))).toEqual([]);
    });

    it("is not believed where the member itself has a session: a copy would outlive the path to it", async () => {
      await applyAll(true, false);
      await eventually(async () => {
        const copies = (await of(birds, 1).readRoutes())?.filter(({ protocol }) => protocol === toMachineId(GATEWAY));
        expect(copies?.map(({ isFiltered }) => isFiltered)).toEqual([true, true]);
      }, WITHIN_MS);
      expect(await routesOf1()).toEqual(ROUTES);
    });

    it("has a member become a gateway, and end being one, in the sessions that there are", async () => {
      await applyAll(true);
      const since = async () =>
        ((await of(birds, 2).readProtocols()) ?? [])
          .filter(({ session }) => session !== null)
          .map(({ sinceMs }) => sinceMs);
      await eventually(async () => expect(await sessionsOf(2)).toEqual(["Established", "Established"]), WITHIN_MS);
      const before = await since();
      await apply(1, [holder(), gateway], { isGateway: true });
      await apply(2, [birdMember(1, { isGateway: true }), gateway], {
        ...{ announcements: announcements(LAN, LAN6), isReflected: true },
      });
      // It tells the gateway what it heard from 2, and 2 nothing of its own.
      const copies = async () =>
        ((await of(birds, GATEWAY).readProtocols()) ?? []).find(({ name }) => name === toMachineId(1))?.channels;
      await apply(GATEWAY, [birdMember(1, { isGateway: true }), holder()], { isGateway: true });
      await eventually(async () => expect(await copies()).toMatchObject([{ importedCount: 1 }, { importedCount: 1 }]));
      await applyAll(true);
      await eventually(async () => expect(await copies()).toMatchObject([{ importedCount: 0 }, { importedCount: 0 }]));
      expect(await since()).toEqual(before);
    });
  },
);

/** What the kernel says of its routes, line by line, from now on. */
async function watchRoutes({ enter, exec }: Namespace) {
  const child = spawn("nsenter", [...enter.slice(1), "ip", "monitor", "route"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await eventually(async () => {
    await exec.run(["ip", "route", "replace", "198.51.100.0/24", "dev", "lo"]);
    expect(text).toContain("198.51.100.0/24");
  });
  return {
    stop() {
      child.kill();
      return text.split("\n");
    },
  };
}
