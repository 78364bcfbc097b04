// What a link tells of its machine, and when.
import { describe, expect, test } from "vitest";
import type { Candidate, DesiredMesh } from "#schema/desired-state";
import { ok } from "#schema/result";
import { DEFAULT_TIMINGS } from "../config.ts";
import { createLogger } from "../system/logger.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createMeshModel, testMeshId } from "../testing/mesh-model.ts";
import { createMeshLink } from "./mesh-link.ts";
import type { ChannelEvents, Transport } from "./transport.ts";

const KEY = `${"A".repeat(43)}=` as DesiredMesh["members"][number]["publicKey"];
const candidate = (type: Candidate["type"], port: number): Candidate =>
  ({ type, endpoint: `198.51.100.7:${port}` }) as Candidate;
const STUN = candidate("stun", 51_820);
const HOST = candidate("host", 51_820);

type Update = { readonly type: string; readonly candidates: readonly Candidate[] };

async function setUp(candidates: readonly Candidate[]) {
  const clock = createFakeClock();
  const sent: Update[] = [];
  const listeners: ChannelEvents[] = [];
  const transport: Transport = {
    name: "websocket",
    open: async (target) => {
      sent.push(target.greet() as Update);
      const listen = (listener: ChannelEvents) => void listeners.push(listener);
      return ok({ listen, send: (message: object) => sent.push(message as Update), probe() {}, close() {} });
    },
  };
  const nothing = () => undefined;
  const link = createMeshLink(
    {
      ...{ meshId: testMeshId(0), desired: null, facts: { publicKey: KEY, candidates }, heartbeatMs: 1e9 },
      ...{ onChanged: nothing, onSignal: nothing, onWelcome: nothing, onRefused: nothing, onStopped: nothing },
    },
    {
      ...{ webSocket: transport, longPoll: transport, timings: DEFAULT_TIMINGS, clock, random: () => 0.5 },
      log: createLogger({ level: "error", format: "json", now: clock.now, write: nothing }),
    },
  );
  const hear = (message: object) => listeners.at(-1)?.onMessage(message);
  link.start();
  await clock.advance(0);
  hear(createMeshModel(0).answerHello(null));
  return {
    clock,
    link,
    observe: (...ports: number[]) =>
      link.setFacts({
        publicKey: KEY,
        candidates: [...candidates, ...ports.map((port) => candidate("peer_observed", port))],
      }),
    refuse: () => hear({ type: "error", code: "too_many_updates", message: "" }),
    updates: () => sent.filter(({ type }) => type === "member.update"),
  };
}

describe("what others claim to see of a machine", () => {
  test("is told once a minute where a STUN server says where it is, the newest", async () => {
    const { clock, observe, updates } = await setUp([STUN]);
    for (let port = 1; port <= 600; port++) {
      observe(port);
      await clock.advance(1_000);
    }
    const observed = [1, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600];
    expect(updates().map(({ candidates }) => candidates.at(-1))).toEqual(
      observed.map((port) => candidate("peer_observed", port)),
    );
  });

  test("is told at once where nothing else does, and at a bounded rate", async () => {
    const { clock, observe, updates } = await setUp([HOST]);
    observe(1);
    observe(1, 2);
    expect(updates()).toHaveLength(2);
    for (let port = 3; port <= 102; port++) {
      observe(port);
      await clock.advance(1_000);
    }
    expect(updates().length).toBeLessThanOrEqual(17);
  });

  test("does not hold up what the machine knows by itself, and goes with it", async () => {
    const { clock, link, observe, updates } = await setUp([STUN]);
    observe(1);
    observe(2);
    expect(updates()).toHaveLength(1);
    const candidates = [STUN, HOST, candidate("peer_observed", 3)];
    link.setFacts({ publicKey: KEY, candidates });
    expect(updates()[1]?.candidates).toEqual(candidates);
    await clock.advance(600_000);
    expect(updates()).toHaveLength(2);
  });

  test("is not told when it is taken back meanwhile", async () => {
    const { clock, observe, updates } = await setUp([STUN]);
    observe(1);
    observe(2);
    observe(1);
    await clock.advance(600_000);
    expect(updates()).toHaveLength(1);
  });
});

test("an update that the object refuses is told again, the newest, a while later", async () => {
  const { clock, link, refuse, updates } = await setUp([STUN]);
  link.setFacts({ publicKey: KEY, candidates: [STUN, HOST] });
  refuse();
  link.setFacts({ publicKey: KEY, candidates: [HOST] });
  expect(updates()).toHaveLength(1);
  await clock.advance(10_000);
  expect(updates().map(({ candidates }) => candidates)).toEqual([[STUN, HOST], [HOST]]);
  await clock.advance(600_000);
  expect(updates()).toHaveLength(2);
});

test("a link that was stopped tells nothing any more", async () => {
  const { clock, link, observe, updates } = await setUp([STUN]);
  observe(1);
  observe(2);
  link.stop();
  await clock.advance(600_000);
  expect(updates()).toHaveLength(1);
});
