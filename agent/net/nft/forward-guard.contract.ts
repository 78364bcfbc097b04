// What the guard relies on nft to do. Run on the fake kernel always, on the real one where that is possible.
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Exec } from "../../system/exec.ts";
import { createForwardGuard, type ForwardGuard } from "./forward-guard.ts";
import { type Forwarding, isSameForwarding } from "./forward-rules.ts";
import { isSameLanGuards, type LanGuard } from "./lan-rules.ts";
import { REMOVAL_SCRIPT, runRemoval } from "./nft-table.ts";

const only = (...to: string[]): Forwarding => ({ to, networks: [] });

export function describeForwardGuard(name: string, open: () => Promise<Exec>, close: () => Promise<void>): void {
  describe(name, () => {
    let guard: ForwardGuard;
    let opened: Promise<Exec> | undefined;

    beforeEach(async () => {
      opened ??= open();
      const exec = await opened;
      await runRemoval(exec, REMOVAL_SCRIPT);
      guard = createForwardGuard(exec);
    });
    afterAll(close);

    const networks = [
      { prefix: "10.5.0.1/32", isMasquerading: false },
      { prefix: "192.168.7.0/25", isMasquerading: true },
      { prefix: "192.168.7.128/25", isMasquerading: false },
      { prefix: "192.168.0.0/16", isMasquerading: true },
      { prefix: "0.0.0.0/0", isMasquerading: false },
      { prefix: "fd00:7::9/128", isMasquerading: false },
      { prefix: "fd00:7::/64", isMasquerading: true },
      { prefix: "::/0", isMasquerading: false },
    ] as unknown as Forwarding["networks"];

    it("guards nothing at first", async () => {
      expect(await guard.read()).toEqual({ meshes: new Map(), lan: [] });
    });

    it("reads what it set, each interface for itself", async () => {
      await Promise.all([
        guard.set("bkt-a", only("bkt-a")),
        guard.set("bkt-b-2", only("eth1", "bkt-b-2", "bkt-a")),
        guard.set("bkt-c", only()),
        guard.set("bkt-d", { to: [], networks }),
        guard.set("bkt-e", { to: ["bkt-e"], networks: networks.slice(0, 1) }),
      ]);

      const { meshes } = await guard.read();
      expect([...meshes.keys()].sort()).toEqual(["bkt-a", "bkt-b-2", "bkt-c", "bkt-d", "bkt-e"]);
      expect(["bkt-a", "bkt-b-2", "bkt-c"].map((name) => meshes.get(name))).toEqual([
        only("bkt-a"),
        only("bkt-a", "bkt-b-2", "eth1"),
        only(),
      ]);
      expect(isSameForwarding(meshes.get("bkt-d") ?? only(), { to: [], networks })).toBe(true);
      expect(meshes.get("bkt-e")).toEqual({ to: ["bkt-e"], networks: networks.slice(0, 1) });
    });

    it("replaces what was there", async () => {
      await guard.set("bkt-a", { to: ["bkt-a"], networks });
      await guard.set("bkt-a", only());

      expect((await guard.read()).meshes).toEqual(new Map([["bkt-a", only()]]));
    });

    it("removes one, also one that isn't there", async () => {
      await guard.set("bkt-a", { to: ["bkt-a"], networks });
      await guard.set("bkt-b", only("bkt-b"));

      await guard.remove("bkt-a");
      await guard.remove("bkt-a");

      expect([...(await guard.read()).meshes.keys()]).toEqual(["bkt-b"]);
    });

    it("reads what it set of the interfaces that lead to networks, and removes it", async () => {
      const lan = [
        {
          name: "eth0.7",
          family: "ipv4",
          networks: networks.slice(0, 4).map(({ prefix }) => ({ prefix, to: "bkt-a" })),
        },
        {
          name: "eth1",
          family: "ipv4",
          networks: [networks[4], networks[0]].flatMap((one) => (one ? [{ prefix: one.prefix, to: "bkt-b" }] : [])),
        },
        { name: "eth1", family: "ipv6", networks: networks.slice(5).map(({ prefix }) => ({ prefix, to: "bkt-b" })) },
      ] as LanGuard[];
      await guard.set("bkt-a", { to: [], networks });
      await guard.setLan(lan);
      expect(isSameLanGuards((await guard.read()).lan, lan)).toBe(true);

      await guard.setLan(lan.slice(0, 1));
      expect(isSameLanGuards((await guard.read()).lan, lan.slice(0, 1))).toBe(true);

      await guard.setLan([]);
      await guard.setLan([]);
      expect((await guard.read()).lan).toEqual([]);
      expect([...(await guard.read()).meshes.keys()]).toEqual(["bkt-a"]);
    });
  });
}
