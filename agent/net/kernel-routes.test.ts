// What the contract can't show: the order of things, and trouble.
import { describe, expect, it } from "vitest";
import { createClock } from "../system/clock.ts";
import type { Argv } from "../system/exec.ts";
import { silentLogger } from "../system/logger.ts";
import { eventually } from "../testing/eventually.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { describeKernelRoutes } from "../testing/kernel-routes.contract.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { connectNamespaces, type Namespace, openNamespace, whyNoNamespaces } from "../testing/namespace.ts";
import { createKernelRoutes } from "./kernel-routes.ts";

describeKernelRoutes(
  "the routes of our BIRDs, fake kernel",
  async () => {
    const kernel = createFakeKernel({ files: createMemoryFiles() });
    const clock = createFakeClock();
    return {
      ...{ exec: kernel, followProgram: kernel.followProgram, clock, device: "wire" },
      async killMonitors() {
        for (const { end } of [...kernel.monitors]) end("was killed");
      },
      async until(check) {
        for (let passed = 0; ; passed += 10) {
          await clock.advance(10);
          try {
            return check();
          } catch (error) {
            if (passed > 3_000) throw error;
          }
        }
      },
    };
  },
  async () => undefined,
);

const lack = whyNoNamespaces();
if (lack === null) {
  const namespaces: Namespace[] = [];
  describeKernelRoutes(
    "the routes of our BIRDs, real kernel",
    async () => {
      namespaces.push(await openNamespace(), await openNamespace());
      const [one, two] = namespaces as [Namespace, Namespace];
      await connectNamespaces(one, "10.1.0.1/16", two, "10.1.0.2/16");
      await one.exec.run(["ip", "address", "add", "fd00:1::1/64", "dev", "eth0", "nodad"]);
      const { exec, followProgram } = one;
      return {
        ...{ exec, followProgram, clock: createClock(), device: "eth0" },
        async killMonitors() {
          const { stdout } = await exec.run(["ps", "-e", "-o", "pid=,args="]);
          const pids = stdout.split("\n").flatMap((line) => /^\s*(\d+) ip .*monitor route/.exec(line)?.[1] ?? []);
          expect(pids).toHaveLength(1);
          await exec.run(["kill", "-9", ...pids]);
        },
        until: (check) => eventually(check),
      };
    },
    async () => {
      for (const namespace of namespaces) await namespace.close();
    },
  );
} else {
  describe("the routes of our BIRDs, real kernel", () => {
    it.skip(`left out: ${lack}`);
  });
}

const METRIC = 61_820;
const argvOf = (how: string, prefix: string, nextHop: string): Argv => {
  const route = [prefix, "via", nextHop, "dev", "wire", "proto", "12", "metric", String(METRIC)];
  return ["ip", prefix.includes(":") ? "-6" : "-4", "route", how, ...route];
};

function createRoutes() {
  const kernel = createFakeKernel({ files: createMemoryFiles() });
  const clock = createFakeClock();
  const heard: string[][] = [];
  const list = () => (routes.routesOf(METRIC) ?? []).map(({ prefix, nextHop }) => `${prefix} ${nextHop}`);
  const routes = createKernelRoutes({
    ...{ exec: kernel, followProgram: kernel.followProgram, clock, log: silentLogger },
    onChanged: () => heard.push(list()),
  });
  const reads: Argv[] = [];
  kernel.onCommand = (argv) => {
    if (argv[1] === "-N") reads.push(argv);
  };
  const change = (how: string, prefix: string, nextHop: string) => kernel.run(argvOf(how, prefix, nextHop));
  return { kernel, clock, heard, list, routes, reads, change };
}

describe("the routes of our BIRDs", () => {
  it("cost nothing while no mesh may have any", async () => {
    const { kernel, clock, routes, reads } = createRoutes();
    routes.setActive(false);
    await clock.advance(60_000);
    expect([reads, kernel.monitors.size, clock.pending()]).toEqual([[], 0, 0]);

    routes.setActive(true);
    await clock.advance(60_000);
    expect(kernel.monitors.size).toBe(1);
    routes.setActive(true);
    expect(kernel.monitors.size).toBe(1);
    routes.setActive(false);
    expect([kernel.monitors.size, clock.pending()]).toEqual([0, 0]);
  });

  it("are told once for what belongs together, and in time for a flood that goes on", async () => {
    const { clock, heard, routes, change } = createRoutes();
    await change("replace", "fd00:5::/64", "fd00:1::2");
    routes.setActive(true);
    await clock.advance(2_000);
    heard.length = 0;

    await change("delete", "fd00:5::/64", "fd00:1::2");
    await change("replace", "fd00:5::/64", "fd00:1::3");
    await clock.advance(10);
    expect(heard).toEqual([["fd00:5::/64 fd00:1::3"]]);

    heard.length = 0;
    for (let index = 0; index < 100; index++) {
      await change("replace", `172.16.${index}.0/24`, "10.1.0.2");
      await clock.advance(1);
    }
    expect(heard).toHaveLength(2);
  });

  it("are read again at once when changes were lost, and every 30 s in any case", async () => {
    const { kernel, clock, heard, list, routes, change } = createRoutes();
    routes.setActive(true);
    await clock.advance(2_000);
    const monitors = [...kernel.monitors];
    kernel.monitors.clear();
    await change("replace", "192.168.5.0/24", "10.1.0.2");
    for (const { complain } of monitors) complain("netlink receive error No buffer space available (105)");
    await clock.advance(300);
    expect(list()).toEqual(["192.168.5.0/24 10.1.0.2"]);

    await change("replace", "192.168.5.0/24", "10.1.0.3");
    for (const { print } of monitors) print("1 nonsense proto 12 ");
    await clock.advance(300);
    expect(list()).toEqual(["192.168.5.0/24 10.1.0.3"]);

    await change("delete", "192.168.5.0/24", "10.1.0.3");
    await clock.advance(30_000);
    expect(list()).toEqual([]);
    expect(heard).toHaveLength(4);
  });

  it("are read until the monitor is quiet when changes were lost: what is lost after the first is lost without a word", async () => {
    const { kernel, clock, list, routes, change } = createRoutes();
    routes.setActive(true);
    await clock.advance(2_000);
    const monitors = [...kernel.monitors];
    for (const { complain } of monitors) complain("netlink receive error No buffer space available (105)");
    // Its socket is full of what came before, and takes nothing of what is new.
    kernel.monitors.clear();
    for (let index = 0; index < 50; index++) {
      for (const { print } of monitors) print(`1 172.16.${index}.0/24 table 254 proto 4 `);
      await clock.advance(20);
    }
    await change("replace", "192.168.5.0/24", "10.1.0.2");

    await clock.advance(500);
    expect(list()).toEqual(["192.168.5.0/24 10.1.0.2"]);
  });

  it("are what a later event said, though the read that began before it ends after it", async () => {
    const { kernel, clock, list, routes, change } = createRoutes();
    await change("replace", "192.168.5.0/24", "10.1.0.2");
    routes.setActive(true);
    await clock.advance(5_000);
    const stale = [...kernel.programRoutes];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    kernel.onCommand = async (argv) => {
      if (argv[1] === "-N") await held;
    };

    await clock.advance(26_000);
    await change("replace", "192.168.5.0/24", "10.1.0.3");
    await change("replace", "192.168.6.0/24", "10.1.0.3");
    const now = kernel.programRoutes.splice(0, 9, ...stale);
    release();
    await clock.advance(100);
    expect(list()).toEqual(["192.168.5.0/24 10.1.0.3", "192.168.6.0/24 10.1.0.3"]);
    kernel.programRoutes.splice(0, 9, ...now);
  });

  it("stay unknown while they can't be read, and are tried again", async () => {
    const { kernel, clock, list, routes, change } = createRoutes();
    await change("replace", "192.168.5.0/24", "10.1.0.2");
    kernel.fail = (argv) => (argv[1] === "-N" ? "Cannot open netlink socket" : null);
    routes.setActive(true);
    await clock.advance(20_000);
    expect(routes.routesOf(METRIC)).toBeNull();

    kernel.fail = () => null;
    await clock.advance(5_000);
    expect(list()).toEqual(["192.168.5.0/24 10.1.0.2"]);
  });

  it("are read every few seconds where there is no monitor to be had", async () => {
    const { kernel, clock, list, routes, change } = createRoutes();
    routes.setActive(true);
    for (let second = 0; second < 30; second++) {
      for (const { end } of [...kernel.monitors]) end("could not be run");
      await clock.advance(1_000);
    }
    for (const { end } of [...kernel.monitors]) end("could not be run");
    await change("replace", "192.168.5.0/24", "10.1.0.2");
    await clock.advance(5_000);
    expect(list()).toEqual(["192.168.5.0/24 10.1.0.2"]);
    routes.stop();
    expect(clock.pending()).toBe(0);
  });
});
