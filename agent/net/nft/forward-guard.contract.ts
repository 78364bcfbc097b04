// What the guard relies on nft to do. Run on the fake kernel always, on the real one where that is possible.
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Exec } from "../../system/exec.ts";
import { createForwardGuard, type ForwardGuard } from "./forward-guard.ts";
import { REMOVAL_SCRIPT, runRemoval } from "./nft-table.ts";

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

    it("guards nothing at first", async () => {
      expect(await guard.read()).toEqual(new Map());
    });

    it("reads what it set, each interface for itself", async () => {
      await Promise.all([
        guard.set("bkt-a", ["bkt-a"]),
        guard.set("bkt-b-2", ["eth1", "bkt-b-2", "bkt-a"]),
        guard.set("bkt-c", []),
      ]);

      expect(await guard.read()).toEqual(
        new Map([
          ["bkt-a", ["bkt-a"]],
          ["bkt-b-2", ["bkt-a", "bkt-b-2", "eth1"]],
          ["bkt-c", []],
        ]),
      );
    });

    it("replaces what was there", async () => {
      await guard.set("bkt-a", ["bkt-a"]);
      await guard.set("bkt-a", []);

      expect(await guard.read()).toEqual(new Map([["bkt-a", []]]));
    });

    it("removes one, also one that isn't there", async () => {
      await guard.set("bkt-a", ["bkt-a"]);
      await guard.set("bkt-b", ["bkt-b"]);

      await guard.remove("bkt-a");
      await guard.remove("bkt-a");

      expect([...(await guard.read()).keys()]).toEqual(["bkt-b"]);
    });
  });
}
