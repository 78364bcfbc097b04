import { beforeEach, describe, expect, test } from "vitest";
import { err, ok } from "#schema/result";
import { createFakeClock, type FakeClock } from "../testing/fake-clock.ts";
import { createPortMapper, PORT_MAPPER_TIMINGS, type PortMapper } from "./port-mapper.ts";
import type { MappingProtocol, MappingProtocolName, Router } from "./port-mapping/mapping-protocol.ts";

const HOME = { address: "192.168.1.1", localAddress: "192.168.1.7" };
const OFFICE = { address: "10.0.0.1", localAddress: "10.0.0.9" };
const MINUTE = 60_000;
const HOUR = 3_600_000;

/** A router in memory: what it speaks, what it maps and until when, and every request that reached it. */
function createFakeRouter(clock: FakeClock) {
  const router = {
    speaks: new Set<MappingProtocolName>(["pcp", "nat-pmp", "upnp"]),
    refuses: new Set<MappingProtocolName>(),
    mapped: new Map<number, { externalPort: number; until: number }>(),
    lifetimeSeconds: 7_200 as number | null,
    externalAddress: "198.51.100.7",
    shift: 0,
    /** Takes requests and answers none. */
    isSlow: false,
    requests: [] as string[],
  };
  const toProtocol = (name: MappingProtocolName): MappingProtocol => {
    const noAnswer = err({ code: "no_answer" as const, message: "no answer" });
    const hear = async (what: string, signal: AbortSignal) => {
      signal.throwIfAborted();
      if (!router.speaks.has(name)) return false;
      router.requests.push(`${name} ${what}`);
      if (router.isSlow) await clock.sleep(HOUR, signal);
      return true;
    };
    return {
      name,
      find: async (_, signal) => {
        if (!(await hear("find", signal))) return noAnswer;
        return ok({
          async map({ port, externalPort, lifetimeSeconds }, one) {
            // A router maps at once; its answer may be late.
            if (router.speaks.has(name) && !router.refuses.has(name)) {
              const until = clock.now() + (router.lifetimeSeconds ?? 9_999_999) * 1_000;
              router.mapped.set(port, { externalPort: externalPort + router.shift, until });
            }
            if (!(await hear(`map ${port} ${externalPort} ${lifetimeSeconds}`, one))) return noAnswer;
            if (router.refuses.has(name)) return err({ code: "refused", message: `${name} is refused` });
            const { externalAddress, lifetimeSeconds: given } = router;
            return ok({ externalAddress, externalPort: externalPort + router.shift, lifetimeSeconds: given });
          },
          async release(port, one) {
            if (router.speaks.has(name)) router.mapped.delete(port);
            return (await hear(`release ${port}`, one)) ? ok(null) : noAnswer;
          },
        });
      },
    };
  };
  return { router, protocols: (["pcp", "nat-pmp", "upnp"] as const).map(toProtocol) };
}

let clock: FakeClock;
let router: ReturnType<typeof createFakeRouter>["router"];
let mapper: PortMapper;
let gateway: Router | null;
let changes: number;

beforeEach(() => {
  clock = createFakeClock();
  const fake = createFakeRouter(clock);
  router = fake.router;
  gateway = HOME;
  changes = 0;
  mapper = createPortMapper({
    readRouter: () => gateway,
    protocols: fake.protocols,
    clock,
    timings: PORT_MAPPER_TIMINGS,
  });
});

async function start(...ports: number[]): Promise<void> {
  mapper.start(ports, () => changes++);
  await clock.advance(0);
}
async function stop(): Promise<void> {
  const stopped = mapper.stop();
  await clock.advance(5_000);
  await stopped;
}
const endpoints = () => mapper.state().mappings.map(({ endpoint, protocol }) => `${endpoint} ${protocol}`);
/** The requests since it was last asked. */
const takeRequests = () => router.requests.splice(0);

describe("a port mapper", () => {
  test("maps every port by the best that the router speaks, and tells once", async () => {
    await start(51_820, 51_821);
    expect(mapper.state()).toEqual({
      protocols: ["pcp", "nat-pmp", "upnp"],
      mappings: [51_820, 51_821].map((port) => ({ port, endpoint: `198.51.100.7:${port}`, protocol: "pcp" })),
      problem: null,
    });
    expect(changes).toBe(1);
  });

  test("takes the next protocol where one is refused, and says why where all are", async () => {
    router.refuses.add("pcp");
    await start(51_820);
    expect(endpoints()).toEqual(["198.51.100.7:51820 nat-pmp"]);
    await stop();
    for (const name of ["nat-pmp", "upnp"] as const) router.refuses.add(name);
    await start(51_820);
    expect(mapper.state()).toMatchObject({ mappings: [], problem: "upnp is refused" });
  });

  test("renews without a new search, for the port that the router gave, and no mapping ever ends", async () => {
    router.shift = 3;
    router.lifetimeSeconds = 300;
    await start(51_820);
    router.shift = 0;
    takeRequests();
    for (let minutes = 0; minutes < 60; minutes++) {
      await clock.advance(MINUTE);
      expect(router.mapped.get(51_820)?.until).toBeGreaterThan(clock.now());
    }
    expect(new Set(takeRequests())).toEqual(new Set(["pcp map 51820 51823 7200"]));
    expect([endpoints(), changes]).toEqual([["198.51.100.7:51823 pcp"], 1]);
  });

  test("has its mappings back within ten minutes of a router's restart, and tells of its new address", async () => {
    await start(51_820);
    router.mapped.clear();
    router.externalAddress = "198.51.100.8";
    await clock.advance(10 * MINUTE);
    expect(router.mapped.has(51_820)).toBe(true);
    expect([endpoints(), changes]).toEqual([["198.51.100.8:51820 pcp"], 2]);
  });

  test("does not flood a router that gives no time", async () => {
    router.lifetimeSeconds = 0;
    await start(51_820);
    takeRequests();
    await clock.advance(MINUTE);
    expect(takeRequests().length).toBeLessThanOrEqual(4);
  });

  test("renews also what lasts for ever", async () => {
    router.lifetimeSeconds = null;
    await start(51_820);
    takeRequests();
    await clock.advance(10 * MINUTE);
    expect(takeRequests()).toEqual(["pcp map 51820 51820 7200"]);
  });

  test("has no use for a router that has no address itself", async () => {
    router.externalAddress = "0.0.0.0";
    await start(51_820);
    expect(mapper.state()).toMatchObject({ mappings: [], problem: "the router 192.168.1.1 has no address itself" });
  });

  test("follows the ports that are wanted", async () => {
    await start(51_820, 51_821);
    takeRequests();
    await start(51_821, 51_822);
    expect(takeRequests()).toEqual(["pcp release 51820", "pcp map 51822 51822 7200"]);
    expect([...router.mapped.keys()]).toEqual([51_821, 51_822]);
    await start();
    expect([router.mapped.size, endpoints(), mapper.state().problem]).toEqual([0, [], null]);
  });
});

describe("without a router that answers", () => {
  test("it says so, and asks once an hour", async () => {
    router.speaks.clear();
    await start(51_820);
    const problem = "the router 192.168.1.1 does not answer to PCP, NAT-PMP or UPnP";
    expect(mapper.state()).toEqual({ protocols: [], mappings: [], problem });
    router.speaks.add("upnp");
    await clock.advance(HOUR - 1);
    expect(takeRequests()).toEqual([]);
    await clock.advance(1);
    expect(endpoints()).toEqual(["198.51.100.7:51820 upnp"]);
  });

  test("it asks at once when the network changed", async () => {
    gateway = null;
    await start(51_820);
    expect(mapper.state().problem).toBe("this machine has no IPv4 default route through a router");
    gateway = HOME;
    mapper.networkChanged();
    await clock.advance(0);
    expect(endpoints()).toHaveLength(1);
  });

  test("that did answer before, it asks soon, then less and less", async () => {
    await start(51_820);
    router.speaks.clear();
    await clock.advance(10 * MINUTE);
    expect([endpoints(), changes]).toEqual([[], 2]);
    router.speaks.add("nat-pmp");
    await clock.advance(MINUTE);
    expect(endpoints()).toEqual(["198.51.100.7:51820 nat-pmp"]);
  });
});

describe("when the network changed", () => {
  test("it searches anew, and forgets what another router mapped", async () => {
    await start(51_820);
    gateway = OFFICE;
    router.speaks.delete("pcp");
    router.externalAddress = "203.0.113.9";
    mapper.networkChanged();
    await clock.advance(0);
    expect(endpoints()).toEqual(["203.0.113.9:51820 nat-pmp"]);
  });

  test("it tells of no mapping until a router has said it again, and then in any case", async () => {
    await start(51_820);
    router.isSlow = true;
    mapper.networkChanged();
    await clock.advance(0);
    expect([endpoints(), changes]).toEqual([[], 1]);
    router.isSlow = false;
    mapper.networkChanged();
    await clock.advance(0);
    // Whoever heard of the change has dropped what the router mapped before.
    expect([endpoints(), changes]).toEqual([["198.51.100.7:51820 pcp"], 2]);
  });

  test("it waits no longer for answers from the network that was", async () => {
    router.isSlow = true;
    await start(51_820);
    router.isSlow = false;
    mapper.networkChanged();
    await clock.advance(0);
    expect(endpoints()).toHaveLength(1);
  });
});

describe("stopping", () => {
  test("releases everything and leaves no timer", async () => {
    await start(51_820, 51_821);
    await stop();
    expect([router.mapped.size, clock.pending(), changes]).toEqual([0, 0, 1]);
  });

  test("releases also what was asked for and not answered", async () => {
    await start(51_820);
    router.isSlow = true;
    await start(51_820, 51_821);
    expect(router.mapped.has(51_821)).toBe(true);
    await stop();
    expect([router.mapped.size, clock.pending()]).toEqual([0, 0]);
  });

  test("takes no longer than two seconds, and may come twice or first", async () => {
    await mapper.stop();
    await start(51_820);
    router.isSlow = true;
    const stopped = mapper.stop();
    await clock.advance(2_000);
    await stopped;
    await mapper.stop();
    expect(clock.pending()).toBe(0);
  });
});
