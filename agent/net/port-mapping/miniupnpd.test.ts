// The port mapper against miniupnpd, in namespaces of their own, as root.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import {
  EXTERNAL_ADDRESS,
  type HomeRouter,
  MACHINE_ADDRESS,
  openHomeRouter,
  ROUTER_ADDRESS,
  type RouterOptions,
  whyNoRouter,
} from "../../testing/miniupnpd.ts";
import type { PortMapperState } from "../port-mapper.ts";

const DRIVER = path.join(import.meta.dirname, "../../testing/port-mapper-driver.ts");
const ALL = "pcp,nat-pmp,upnp";

describe.skipIf(whyNoRouter() !== null)("a port mapper behind miniupnpd", { timeout: 20_000 }, () => {
  let home: HomeRouter;
  const programs: ChildProcessWithoutNullStreams[] = [];
  beforeAll(async () => {
    home = await openHomeRouter();
  }, 30_000);
  afterEach(async () => {
    for (const program of programs.splice(0)) {
      if (program.exitCode !== null || program.signalCode !== null) continue;
      program.stdin.end();
      await once(program, "exit");
    }
    await home.stop();
  });
  afterAll(() => home?.close());

  interface Mapper {
    readonly states: PortMapperState[];
    networkChanged(): void;
    stop(): Promise<void>;
    /** Without a chance to release anything. */
    kill(): Promise<void>;
  }
  function startMapper(protocols: string, ports: string, ...renewMs: string[]): Mapper {
    const [command, ...args] = [...home.machine.enter, process.execPath, DRIVER, protocols, ports, ...renewMs];
    const program = spawn(command as string, args);
    programs.push(program);
    const states: PortMapperState[] = [];
    createInterface({ input: program.stdout }).on("line", (line) => states.push(JSON.parse(line)));
    return {
      states,
      networkChanged: () => program.stdin.write("\n"),
      stop: async () => {
        program.stdin.end();
        await once(program, "exit");
      },
      kill: async () => {
        program.kill("SIGKILL");
        await once(program, "exit");
      },
    };
  }
  /** Ports and addresses of what the router maps. */
  const readMapped = async () => (await home.mappings()).map((line) => line.split(" ").slice(0, 3).join(" ")).sort();
  const readExpiries = async () => (await home.mappings()).map((line) => Number(line.split(" ")[3]));

  test.each<[string, string, RouterOptions]>([
    ["PCP", "pcp", { speaksUpnp: false }],
    ["NAT-PMP", "nat-pmp", { speaksUpnp: false }],
    ["UPnP", "upnp", { speaksNatPmp: false }],
    ["UPnP of version 1", "upnp", { speaksNatPmp: false, isIgd1: true }],
  ])("has its ports mapped by %s, and releases them", async (_, protocol, options) => {
    await home.start(options);
    const mapper = startMapper(protocol, "51820,51821");
    await eventually(() =>
      expect(mapper.states.at(-1)).toEqual({
        protocols: [protocol],
        mappings: [51_820, 51_821].map((port) => ({ port, endpoint: `${EXTERNAL_ADDRESS}:${port}`, protocol })),
        problem: null,
      }),
    );
    expect(await readMapped()).toEqual([`UDP 51820 ${MACHINE_ADDRESS}:51820`, `UDP 51821 ${MACHINE_ADDRESS}:51821`]);
    await mapper.stop();
    expect(await readMapped()).toEqual([]);
  });

  test.each(["pcp", "nat-pmp", "upnp"])("renews by %s", async (protocol) => {
    await home.start();
    const mapper = startMapper(protocol, "51820", "500");
    await eventually(async () => expect(await readExpiries()).toHaveLength(1));
    const [first = 0] = await readExpiries();
    await eventually(async () => expect((await readExpiries())[0]).toBeGreaterThan(first + 1), 15_000);
    expect(mapper.states).toHaveLength(1);
  });

  test("renews in time where the router gives less time than asked for", async () => {
    await home.start({ maxLifetimeSeconds: 3 });
    const mapper = startMapper("pcp", "51820");
    await eventually(async () => expect(await readExpiries()).toHaveLength(1));
    const [first = 0] = await readExpiries();
    await eventually(async () => expect((await readExpiries())[0]).toBeGreaterThan(first + 3), 15_000);
    expect(mapper.states).toHaveLength(1);
  });

  test("gets its mappings back, by UPnP too, from a router that forgot them", async () => {
    await home.start();
    const mapper = startMapper("upnp", "51820");
    await eventually(() => expect(mapper.states.at(-1)?.mappings).toHaveLength(1));
    await home.stop();
    await home.start();
    expect(await readMapped()).toEqual([]);
    mapper.networkChanged();
    await eventually(async () => expect(await readMapped()).toEqual([`UDP 51820 ${MACHINE_ADDRESS}:51820`]));
  });

  test.each(["pcp", "nat-pmp", "upnp"])(
    "has and releases by %s what the one before left when it was killed",
    async (protocol) => {
      await home.start();
      const killed = startMapper(protocol, "51820");
      await eventually(() => expect(killed.states.at(-1)?.mappings).toHaveLength(1));
      await killed.kill();
      const next = startMapper(protocol, "51820");
      await eventually(() => expect(next.states.at(-1)?.mappings).toHaveLength(1));
      expect(next.states.at(-1)?.mappings[0]?.endpoint).toBe(`${EXTERNAL_ADDRESS}:51820`);
      await next.stop();
      expect(await readMapped()).toEqual([]);
    },
  );

  test("takes the best of what the router speaks, and another port by UPnP where its own is taken", async () => {
    await home.start();
    const best = startMapper(ALL, "51820");
    await eventually(() => expect(best.states.at(-1)?.mappings).toMatchObject([{ protocol: "pcp" }]));
    expect(best.states.at(-1)?.protocols).toEqual(["pcp", "nat-pmp", "upnp"]);
    // Another machine behind the same router.
    await moveMachine(MACHINE_ADDRESS, "192.168.77.3");
    try {
      const other = startMapper("upnp", "51820");
      await eventually(() => expect(other.states.at(-1)?.mappings).toHaveLength(1));
      const [, externalPort] = other.states.at(-1)?.mappings[0]?.endpoint.split(":") ?? [];
      expect(externalPort).not.toBe("51820");
      expect(await readMapped()).toContain(`UDP ${externalPort} 192.168.77.3:51820`);
      await other.stop();
      expect((await readMapped()).join()).not.toContain("192.168.77.3");
    } finally {
      await moveMachine("192.168.77.3", MACHINE_ADDRESS);
    }
  });
  /** Without its last address it loses its routes too. */
  async function moveMachine(from: string, to: string): Promise<void> {
    const lines = [
      `address delete ${from}/24 dev eth0`,
      `address add ${to}/24 dev eth0`,
      `route add default via ${ROUTER_ADDRESS}`,
    ];
    await home.machine.exec.run(["ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
  }

  test("says that the router does not answer where it does not, and hears of one that came at a network change", async () => {
    const mapper = startMapper(ALL, "51820");
    await eventually(() =>
      expect(mapper.states.at(-1)).toEqual({
        protocols: [],
        mappings: [],
        problem: `the router ${ROUTER_ADDRESS} does not answer to PCP, NAT-PMP or UPnP`,
      }),
    );
    await home.start();
    mapper.networkChanged();
    await eventually(() => expect(mapper.states.at(-1)?.mappings).toHaveLength(1));
  });
});
