// What the packet filter relies on nft to do. Run on the fake kernel always, on the real one where that is possible.
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { createForwardGuard } from "../net/nft/forward-guard.ts";
import type { Argv, Exec } from "../system/exec.ts";
import { createPacketFilter, type PacketFilter } from "./packet-filter.ts";
import type { PacketRules } from "./packet-rules.ts";

const PORT = { wireguardPort: 51_820, probePort: 40_001 };
const LANE = { wireguardPort: 51_820, localPort: 45_000, remote: "198.51.100.7:1234" as Endpoint };
const LANE6 = { wireguardPort: 51_820, localPort: 45_001, remote: "[2001:db8::7]:1234" as Endpoint };
const RULES: PacketRules = { ports: [PORT, { wireguardPort: 51_821, probePort: 40_002 }], lanes: [LANE, LANE6] };

export function describePacketFilter(name: string, open: () => Promise<Exec>, close: () => Promise<void>): void {
  describe(name, () => {
    let exec: Exec;
    let opened: Promise<Exec> | undefined;
    let filter: PacketFilter;
    let writes: Argv[];

    beforeEach(async () => {
      opened ??= open();
      exec = await opened;
      await createPacketFilter(exec).remove();
      writes = [];
      filter = createPacketFilter({
        run: (argv, options) => {
          if (argv[1] === "-f") writes.push(argv);
          return exec.run(argv, options);
        },
      });
    });
    afterAll(close);

    it("has nothing in force at first", async () => {
      expect(await filter.read()).toBeNull();
    });

    it("reads what it set, for both families", async () => {
      await filter.set(RULES);

      expect(await filter.read()).toEqual(RULES);
      expect(await createPacketFilter(exec).read()).toEqual(RULES);
    });

    it("replaces what was there", async () => {
      await filter.set(RULES);
      await filter.set({ ports: [PORT], lanes: [LANE6] });
      expect(await filter.read()).toEqual({ ports: [PORT], lanes: [LANE6] });

      await filter.set({ ports: [], lanes: [] });
      expect(await filter.read()).toEqual({ ports: [], lanes: [] });
    });

    it("leaves alone what is already in force, also what another run of it left", async () => {
      await createPacketFilter(exec).set(RULES);

      await filter.set({ ports: [...RULES.ports].reverse(), lanes: [LANE6, LANE] });

      expect(writes).toEqual([]);
    });

    it("writes again what somebody took away", async () => {
      await filter.set(RULES);
      await createPacketFilter(exec).remove();

      await filter.set(RULES);

      expect(await filter.read()).toEqual(RULES);
    });

    it("carries out the newest of several wishes, and no two at once", async () => {
      const lanes = [1, 2, 3, 4].map((port) => ({ ...LANE, localPort: 45_000 + port }));

      await Promise.all(lanes.map((lane) => filter.set({ ports: [PORT], lanes: [lane] })));

      expect(await filter.read()).toEqual({ ports: [PORT], lanes: lanes.slice(3) });
      expect(writes.length).toBeLessThan(lanes.length);
    });

    it("removes its table, and finds nothing to remove afterwards", async () => {
      await filter.set(RULES);

      await filter.remove();
      await filter.remove();

      expect(await filter.read()).toBeNull();
    });

    it("leaves the other chains of its table alone, until all of it goes", async () => {
      const guard = createForwardGuard(exec);
      await guard.set("bkt-a", { to: ["bkt-a"], networks: [] });

      await filter.set(RULES);
      await filter.set({ ports: [PORT], lanes: [] });

      expect(await guard.read()).toMatchObject({ meshes: new Map([["bkt-a", { to: ["bkt-a"], networks: [] }]]) });
      expect(await filter.read()).toEqual({ ports: [PORT], lanes: [] });
      await filter.remove();
      expect(await guard.read()).toEqual({ meshes: new Map(), lan: [] });
    });

    it("touches no table of others", async () => {
      await exec.run(["nft", "-f", "-"], { stdin: "table inet others {\n}\n" });

      await filter.set(RULES);
      await filter.remove();

      expect((await exec.run(["nft", "-j", "list", "table", "inet", "others"])).stdout).toContain("others");
    });
  });
}
