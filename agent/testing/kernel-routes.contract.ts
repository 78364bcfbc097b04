// What the agent relies on the kernel and `ip` to tell of routes. Run on the fake kernel always, on the real one where that is possible.
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKernelRoutes, type KernelRoutes, type KernelRoutesPorts } from "../net/kernel-routes.ts";
import { silentLogger } from "../system/logger.ts";

export interface RoutesUnderTest extends Pick<KernelRoutesPorts, "exec" | "followProgram" | "clock"> {
  /** A link that is up, with 10.1.0.1/16 and fd00:1::1/64. */
  readonly device: string;
  /** Ends every `ip monitor` that runs. */
  killMonitors(): Promise<void>;
  /** Lets time pass until it passes. For reads only. */
  until(check: () => void): Promise<void>;
}

const METRIC = 61_820;
const OTHER = 61_821;

export function describeKernelRoutes(
  name: string,
  open: () => Promise<RoutesUnderTest>,
  close: () => Promise<void>,
): void {
  describe(name, () => {
    let system: RoutesUnderTest;
    let routes: KernelRoutes;
    let opened: Promise<RoutesUnderTest> | undefined;
    let heard: (string[] | null)[] = [];

    const list = (metric = METRIC) =>
      routes
        .routesOf(metric)
        ?.map(({ prefix, nextHop }) => `${prefix} ${nextHop}`)
        .sort() ?? null;
    const ip = (command: string) => {
      const [how = "", ...rest] = command.split(" ");
      const family = command.includes(":") ? "-6" : "-4";
      return system.exec.run(["ip", family, "route", how, ...rest]);
    };
    /** What BIRD does. */
    const change = (how: string, prefix: string, nextHop: string, marks = `proto 12 metric ${METRIC}`) =>
      ip(`${how} ${prefix} via ${nextHop} dev ${system.device} ${marks}`);
    const untilKnown = (...expected: string[]) => system.until(() => expect(list()).toEqual(expected));

    beforeEach(async () => {
      opened ??= open();
      system = await opened;
      heard = [];
      routes = createKernelRoutes({
        ...{ exec: system.exec, followProgram: system.followProgram, clock: system.clock, log: silentLogger },
        onChanged: () => heard.push(list()),
      });
    });
    afterEach(async () => {
      const left = [...(routes.routesOf(METRIC) ?? []), ...(routes.routesOf(OTHER) ?? [])];
      routes.stop();
      for (const { prefix, nextHop, metric } of left) {
        if (nextHop !== null) await change("delete", prefix, nextHop, `proto 12 metric ${metric}`);
      }
    });
    afterAll(close);

    async function start(): Promise<void> {
      routes.setActive(true);
      await system.until(() => expect(list()).not.toBeNull());
    }

    it("are unknown until they were read, and then those that are there already", async () => {
      await change("replace", "192.168.5.0/24", "10.1.0.2");
      await change("replace", "fd00:5::/64", "fd00:1::2");
      expect(list()).toBeNull();

      routes.setActive(true);

      expect(list()).toBeNull();
      await untilKnown("192.168.5.0/24 10.1.0.2", "fd00:5::/64 fd00:1::2");
      await system.until(() => expect(heard).toEqual([["192.168.5.0/24 10.1.0.2", "fd00:5::/64 fd00:1::2"]]));
    });

    it("are told as they come, change and go", async () => {
      await start();

      await change("replace", "192.168.5.0/24", "10.1.0.2");
      await change("replace", "fd00:5::/64", "fd00:1::2");
      await untilKnown("192.168.5.0/24 10.1.0.2", "fd00:5::/64 fd00:1::2");
      await change("replace", "192.168.5.0/24", "10.1.0.3");
      await change("replace", "fd00:5::/64", "fd00:1::3");
      await untilKnown("192.168.5.0/24 10.1.0.3", "fd00:5::/64 fd00:1::3");
      await change("delete", "192.168.5.0/24", "10.1.0.3");
      await change("delete", "fd00:5::/64", "fd00:1::3");
      await untilKnown();
    });

    it("have hosts and everything for prefixes, too", async () => {
      await start();

      await change("replace", "192.168.5.7/32", "10.1.0.2");
      await change("replace", "0.0.0.0/0", "10.1.0.2");
      await change("replace", "fd00:5::7/128", "fd00:1::2");
      await change("replace", "::/0", "fd00:1::2");

      const all = ["0.0.0.0/0 10.1.0.2", "192.168.5.7/32 10.1.0.2", "::/0 fd00:1::2", "fd00:5::7/128 fd00:1::2"];
      await untilKnown(...all);
      const [before] = [routes.routesOf(METRIC)];
      routes.setActive(false);
      expect(list()).toBeNull();
      await start();
      expect(routes.routesOf(METRIC)).not.toBe(before);
      expect(list()).toEqual(all);
    });

    it("are each mesh's own, and nobody else's are among them", async () => {
      await start();

      await change("replace", "192.168.5.0/24", "10.1.0.2");
      await change("replace", "192.168.5.0/24", "10.1.0.3", `proto 12 metric ${OTHER}`);
      await change("replace", "192.168.6.0/24", "10.1.0.2", "proto 12 metric 32");
      await change("replace", "192.168.7.0/24", "10.1.0.2", `proto 4 metric ${METRIC}`);
      await change("replace", "192.168.8.0/24", "10.1.0.2", `proto 12 metric ${METRIC} table 77`);
      await change("replace", "192.168.9.0/24", "10.1.0.2");

      await untilKnown("192.168.5.0/24 10.1.0.2", "192.168.9.0/24 10.1.0.2");
      expect(list(OTHER)).toEqual(["192.168.5.0/24 10.1.0.3"]);
      // The same from a read.
      routes.setActive(false);
      await start();
      expect([list(), list(OTHER)]).toEqual([
        ["192.168.5.0/24 10.1.0.2", "192.168.9.0/24 10.1.0.2"],
        ["192.168.5.0/24 10.1.0.3"],
      ]);
    });

    it("with several next hops have none, until one is left", async () => {
      await start();
      await change("replace", "fd00:5::/64", "fd00:1::2");
      await change("append", "fd00:5::/64", "fd00:1::3");
      await untilKnown("fd00:5::/64 null");

      await change("delete", "fd00:5::/64", "fd00:1::2");

      await untilKnown("fd00:5::/64 fd00:1::3");
    });

    it("are the same list while none of them changes", async () => {
      await change("replace", "192.168.5.0/24", "10.1.0.2");
      await start();
      const before = routes.routesOf(METRIC);

      await change("replace", "192.168.5.0/24", "10.1.0.3", `proto 12 metric ${OTHER}`);
      await system.until(() => expect(list(OTHER)).toHaveLength(1));

      expect(routes.routesOf(METRIC)).toBe(before);
    });

    it("are caught up with when the monitor was gone", async () => {
      await change("replace", "192.168.5.0/24", "10.1.0.2");
      await change("replace", "192.168.6.0/24", "10.1.0.2");
      await start();

      await system.killMonitors();
      await change("delete", "192.168.5.0/24", "10.1.0.2");
      await change("replace", "192.168.6.0/24", "10.1.0.3");
      await untilKnown("192.168.6.0/24 10.1.0.3");

      await change("replace", "192.168.5.0/24", "10.1.0.4");
      await untilKnown("192.168.5.0/24 10.1.0.4", "192.168.6.0/24 10.1.0.3");
    });

    it("are all told in a burst", async () => {
      await start();
      const prefixes = Array.from({ length: 30 }, (_, index) => `172.16.${index}.0/24`);
      for (const prefix of prefixes) await change("replace", prefix, "10.1.0.2");
      await untilKnown(...prefixes.map((prefix) => `${prefix} 10.1.0.2`).sort());

      for (const prefix of prefixes) await change("delete", prefix, "10.1.0.2");
      await untilKnown();
    });
  });
}
