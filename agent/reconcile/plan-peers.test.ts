import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { deviceOf, keyOf, peerOf } from "../testing/desired-devices.ts";
import type { WireGuardPeer } from "../wireguard/parse-dump.ts";
import { nudgesAfterMs, type PeerMemory, rememberPeers, rememberStep } from "./peer-memory.ts";
import { nextPeerWakeAtMs, planPeers } from "./plan-peers.ts";

const NOW = Date.UTC(2026, 5, 1);
const OLD = "192.0.2.2:51820" as Endpoint;
const NEW = "198.51.100.2:51820" as Endpoint;
const ROAMED = "203.0.113.9:40000";

const present = (changes: Partial<WireGuardPeer> = {}): WireGuardPeer => ({
  publicKey: keyOf("P"),
  endpoint: OLD,
  allowedIps: ["10.1.0.2/32", "fd00:1::2/128"],
  latestHandshakeMs: NOW - 10_000,
  receivedBytes: 1_000,
  sentBytes: 1_000,
  keepaliveSeconds: 25,
  ...changes,
});
const silent = (changes: Partial<WireGuardPeer> = {}) =>
  present({ latestHandshakeMs: null, receivedBytes: 0, ...changes });
const remembered = (changes: Partial<PeerMemory> = {}): PeerMemory => ({
  addedAtMs: NOW - 600_000,
  isReplacement: false,
  nudgesDone: 4,
  endpointVersion: 1,
  deviceEpoch: null,
  ...changes,
});

function planFor(desired: ReturnType<typeof peerOf>, observed: WireGuardPeer, memory: PeerMemory | null, nowMs = NOW) {
  const known = new Map(memory === null ? [] : [[desired.publicKey, memory]]);
  return planPeers({ desired: [desired], observed: [observed], memory: known, nowMs, areRoutesKnown: true });
}

describe("the endpoint of a peer", () => {
  const decided = peerOf("P", 2, { endpoint: NEW, endpointVersion: 2 });

  it("is written when there is another decision, though there is a session", () => {
    expect(planFor(decided, present(), remembered())).toMatchObject([
      { kind: "update", publicKey: keyOf("P"), endpoint: NEW, reason: "another path" },
    ]);
  });

  it("is written once for each decision, and never over what WireGuard roamed to since", () => {
    const carriedOut = remembered({ endpointVersion: 2 });

    expect(planFor(decided, present({ endpoint: NEW }), remembered())).toEqual([]);
    expect(planFor(decided, present({ endpoint: ROAMED }), carriedOut)).toEqual([]);
    expect(planFor(decided, present({ endpoint: ROAMED, latestHandshakeMs: NOW - 3_600_000 }), carriedOut)).toEqual([]);
    expect(planFor({ ...decided, endpointVersion: 3 }, present({ endpoint: ROAMED }), carriedOut)).toMatchObject([
      { kind: "update", endpoint: NEW },
    ]);
  });

  it("is left as an agent before left it, until there is a decision", () => {
    const adopted = peerOf("P", 2, { endpoint: NEW, endpointVersion: 0 });

    expect(planFor(adopted, present({ endpoint: ROAMED }), null)).toEqual([]);
    expect(planFor({ ...adopted, endpointVersion: 1 }, present({ endpoint: ROAMED }), null)).toMatchObject([
      { kind: "update", endpoint: NEW },
    ]);
  });

  it("is written when none was known, whatever was decided before", () => {
    const none = present({ endpoint: null });

    for (const memory of [null, remembered({ endpointVersion: 2 })]) {
      expect(planFor(decided, none, memory)).toMatchObject([{ kind: "update", endpoint: NEW }]);
    }
  });

  it("is never taken away when there is nowhere to send", () => {
    const nowhere = peerOf("P", 2, { endpoint: null, endpointVersion: 2 });

    expect(planFor(nowhere, present(), remembered())).toEqual([]);
  });

  it("is remembered by its version when it was carried out, added peers and changed ones alike", () => {
    const device = deviceOf({ peers: [decided] });
    const { meshId, interfaceName } = device;
    const add = { kind: "add", peer: decided, reason: "" } as const;
    const step = { name: "peers.change", meshId, interfaceName, args: [add], reason: "" } as const;

    const after = rememberPeers(rememberStep(new Map(), step, NOW), device);

    expect(after.get(interfaceName)?.get(keyOf("P"))).toMatchObject({ endpointVersion: 2, addedAtMs: NOW });
    const next = deviceOf({ peers: [{ ...decided, endpointVersion: 3 }] });
    expect(rememberPeers(after, next).get(interfaceName)?.get(keyOf("P"))).toMatchObject({ endpointVersion: 3 });
  });
});

describe("a peer that differs", () => {
  it("is changed in what differs only, and keeps its session", () => {
    const desired = peerOf("P", 7, { endpoint: OLD, keepaliveSeconds: 0 });

    expect(planFor(desired, present(), remembered())).toEqual([
      {
        kind: "update",
        publicKey: keyOf("P"),
        allowedIps: { added: desired.allowedIps, all: desired.allowedIps },
        keepaliveSeconds: 0,
        reason: "2 more allowed IPs; keepalive was 25",
      },
      {
        ...{ kind: "withdraw", allowedIps: ["10.1.0.2/32", "fd00:1::2/128"] },
        reason: "allowed IPs that nobody has any more",
      },
    ]);
  });

  it("is not changed because WireGuard lists its addresses in another order", () => {
    const observed = present({ allowedIps: ["fd00:1::2/128", "10.1.0.2/32"] });

    expect(planFor(peerOf("P", 2), observed, remembered())).toEqual([]);
  });
});

describe("what is behind peers", () => {
  const own = (host: number) => peerOf("P", host).allowedIps;
  const [NET, NET6] = ["192.168.5.0/24", "fd00:5::/64"];
  /** @param has by letter of the peer; P is 10.1.0.2, Q is 10.1.0.3 */
  function plan(wants: Record<string, string[]>, has: Record<string, string[]>, areRoutesKnown = true) {
    const host = (letter: string) => (letter === "P" ? 2 : 3);
    const desired = Object.entries(wants).map(([letter, behind]) =>
      peerOf(letter, host(letter), { endpoint: OLD, allowedIps: [...own(host(letter)), ...behind] }),
    );
    const observed = Object.entries(has).map(([letter, behind]) =>
      present({ publicKey: keyOf(letter), allowedIps: [...own(host(letter)), ...behind] }),
    );
    return planPeers({ desired, observed, memory: new Map(), nowMs: NOW, areRoutesKnown });
  }

  it("is added to them", () => {
    expect(plan({ P: [NET, NET6], Q: [] }, { P: [], Q: [] })).toMatchObject([
      { kind: "update", publicKey: keyOf("P"), allowedIps: { added: [NET, NET6], all: [...own(2), NET, NET6] } },
    ]);
  });

  it("moves by being given to another, and by nothing else", () => {
    expect(plan({ P: [], Q: [NET, NET6] }, { P: [NET, NET6], Q: [] })).toMatchObject([
      { kind: "update", publicKey: keyOf("Q"), allowedIps: { added: [NET, NET6] } },
    ]);
  });

  it("is withdrawn from all of them at once, after what is added and before what is removed", () => {
    const changes = plan({ P: [NET6], Q: [] }, { P: [NET], Q: ["192.168.6.0/24"], R: ["192.168.7.0/24"] });
    expect(changes.map(({ kind }) => kind)).toEqual(["update", "withdraw", "remove"]);
    expect(changes[1]).toMatchObject({ allowedIps: [NET, "192.168.6.0/24"] });
  });

  it("stays where it is while nobody knows what is behind whom", () => {
    expect(plan({ P: [], Q: [] }, { P: [NET], Q: [] }, false)).toEqual([]);
    expect(plan({ P: [], Q: [NET] }, { P: [NET], Q: [NET6] }, false)).toMatchObject([
      { kind: "update", publicKey: keyOf("Q"), allowedIps: { added: [NET], all: [...own(3), NET, NET6] } },
    ]);
    // A peer that goes, goes.
    expect(plan({ P: [] }, { P: [], Q: [NET] }, false)).toMatchObject([{ kind: "remove", publicKey: keyOf("Q") }]);
  });

  it("is planned in time that grows with its number, and no faster", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `172.16.${index >> 6}.${(index & 63) * 4}/30`);
    const startedAt = performance.now();

    expect(plan({ P: many, Q: [] }, { P: [...many].reverse(), Q: [] })).toEqual([]);
    expect(plan({ P: [], Q: many }, { P: many, Q: [] })).toHaveLength(1);

    // Some 20 ms on two cores at rest; comparing each with each would take seconds.
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe("a peer that replaced its key", () => {
  const before = present({ publicKey: keyOf("O") });
  const after = peerOf("P", 2, { endpoint: NEW, endpointVersion: 1, deviceEpoch: "first" });
  const plan = (memory: Partial<PeerMemory>, observed = before, desired = after) =>
    planPeers({
      ...{ desired: [desired], observed: [observed], nowMs: NOW, areRoutesKnown: true },
      memory: new Map([[observed.publicKey, remembered({ deviceEpoch: "first", ...memory })]]),
    });

  it("takes its own place in one go, where it was last heard, and begins a handshake", () => {
    expect(plan({})).toMatchObject([
      { kind: "add", peer: { ...after, endpoint: OLD }, isAwake: true },
      { kind: "remove", publicKey: keyOf("O") },
    ]);
    expect(plan({}, before, { ...after, endpointVersion: 2 })).toMatchObject([{ peer: { endpoint: NEW } }, {}]);
  });

  it("is one like any other when its interface was made anew as well, and when the key was somebody else's", () => {
    for (const changes of [
      plan({ deviceEpoch: "other" }),
      plan({}, present({ publicKey: keyOf("O"), allowedIps: [] })),
    ])
      expect(changes[0]).not.toHaveProperty("isAwake");
  });

  it("is nudged only when it was heard, because what waits for it would be lost", () => {
    const memory = remembered({
      ...{ addedAtMs: NOW - 200, isReplacement: true, nudgesDone: 0 },
      deviceEpoch: "first",
    });
    expect(planFor(after, silent(), memory)).toEqual([]);
    expect(planFor(after, silent({ receivedBytes: 148 }), memory)).toMatchObject([{ kind: "recreate", isNudge: true }]);
    const inputs = { desired: [after], observed: [silent()], memory: new Map([[keyOf("P"), memory]]), nowMs: NOW };
    expect(nextPeerWakeAtMs(inputs)).toBeGreaterThan(NOW);
  });
});

describe("a peer whose interface was made anew", () => {
  const restarted = peerOf("P", 2, { deviceEpoch: "second" });
  const known = remembered({ deviceEpoch: "first" });

  it("shakes hands again at once, where it was last heard", () => {
    for (const endpoint of [OLD, ROAMED]) {
      const plan = planFor(restarted, present({ endpoint }), known);
      expect(plan).toMatchObject([{ kind: "recreate", isNudge: false, peer: { endpoint } }]);
    }
  });

  it("is sought where the newest decision says, when that is not carried out yet", () => {
    const decided = { ...restarted, endpoint: NEW, endpointVersion: 2 };

    expect(planFor(decided, present(), known)).toMatchObject([{ kind: "recreate", peer: { endpoint: NEW } }]);
  });

  it("is left alone when it has just shaken hands by itself, and when we never knew it otherwise", () => {
    expect(planFor(restarted, present({ latestHandshakeMs: NOW - 1_000 }), known)).toEqual([]);
    expect(planFor(restarted, present(), remembered({ deviceEpoch: "second" }))).toEqual([]);
    expect(planFor(restarted, present(), remembered())).toEqual([]);
    expect(planFor(restarted, present(), null)).toEqual([]);
  });

  it("begins anew, nudges included, and is remembered as it is now", () => {
    const device = deviceOf({ peers: [restarted] });
    const [change] = planFor(restarted, present(), known);
    if (change === undefined) throw new Error("it is recreated");
    const { meshId, interfaceName } = device;
    const step = { name: "peers.change", meshId, interfaceName, args: [change], reason: "" } as const;
    const before = new Map([[device.interfaceName, new Map([[restarted.publicKey, known]])]]);

    const after = rememberPeers(rememberStep(before, step, NOW), device);

    expect(after.get(device.interfaceName)?.get(restarted.publicKey)).toEqual({
      ...{ addedAtMs: NOW, isReplacement: false, nudgesDone: 0, endpointVersion: 1, deviceEpoch: "second" },
    });
    expect(rememberPeers(after, device)).toBe(after);
  });
});

describe("a peer that was added and does not answer", () => {
  const PACE = nudgesAfterMs(keyOf("P"));
  const added = (msAgo: number, nudgesDone: number) => remembered({ addedAtMs: NOW - msAgo, nudgesDone });

  it.each([0, 1, 2, 3, 4])("is nudged when its time has come, and not before, after %i nudges", (nudgesDone) => {
    const dueMs = PACE[nudgesDone] ?? 0;
    const kindsAfter = (msAgo: number) =>
      planFor(peerOf("P", 2), silent(), added(msAgo, nudgesDone)).map(({ kind }) => kind);

    expect(kindsAfter(dueMs - 1)).toEqual([]);
    expect(kindsAfter(dueMs)).toEqual(["recreate"]);
  });

  it("is left to WireGuard after five nudges", () => {
    expect(planFor(peerOf("P", 2), silent(), added(60_000, 5))).toEqual([]);
  });

  it("is nudged at another pace than it nudges us, so that the two don't cancel each other's handshakes", () => {
    for (const [ours, theirs] of [
      ["P", "Q"],
      ["A", "B"],
    ] as const) {
      expect(nudgesAfterMs(keyOf(ours))).not.toEqual(nudgesAfterMs(keyOf(theirs)));
    }
    for (const ms of nudgesAfterMs(keyOf("P"))) expect(ms).toBeLessThan(5_000);
  });

  it("is nudged when it was heard but no handshake was finished: both ends may have cancelled each other's", () => {
    const heard = present({ latestHandshakeMs: null, receivedBytes: 148 });
    expect(planFor(peerOf("P", 2), heard, added(60_000, 0))).toMatchObject([{ kind: "recreate", isNudge: true }]);
  });

  it("is not nudged once it had a handshake", () => {
    expect(planFor(peerOf("P", 2), present(), added(60_000, 0))).toEqual([]);
  });

  it("is not nudged when there is nowhere to send", () => {
    expect(planFor(peerOf("P", 2, { endpoint: null }), silent({ endpoint: null }), added(60_000, 0))).toEqual([]);
  });

  describe("without a keepalive", () => {
    const lazy = peerOf("P", 2, { keepaliveSeconds: 0 });
    const relayed = { ...lazy, endpoint: "127.0.0.1:40000" as Endpoint };
    const quiet = (sentBytes: number, receivedBytes = 0) => silent({ keepaliveSeconds: 0, sentBytes, receivedBytes });
    const isNudged = (peer: typeof lazy, observed: WireGuardPeer) =>
      planFor(peer, { ...observed, endpoint: peer.endpoint }, added(60_000, 0)).some(({ kind }) => kind === "recreate");

    it.each([
      ["nobody asked for it", lazy, quiet(0), false],
      ["it was only answered, whose handshake may be about to be finished", lazy, quiet(92, 148), false],
      ["somebody waits for it", lazy, quiet(148), true],
      ["both ends cancelled each other's", lazy, quiet(240, 148), true],
      ["the first initiation may wait for the relay to open", relayed, quiet(148), false],
      ["both ends cancelled each other's through the relay", relayed, quiet(240, 148), true],
    ])("when %s", (_, peer, observed, expected) => {
      expect(isNudged(peer, observed)).toBe(expected);
    });

    it("is looked at when its nudges are due, unless it is sought through the relay and nobody asked", () => {
      const wakeFor = (peer: typeof lazy, observed: WireGuardPeer, nowMs: number) => {
        const memory = new Map([[keyOf("P"), remembered({ addedAtMs: NOW, nudgesDone: 0 })]]);
        return nextPeerWakeAtMs({ desired: [peer], observed: [observed], memory, nowMs });
      };
      const [first = 0, second = 0] = PACE;

      expect(wakeFor(lazy, quiet(0), NOW)).toBe(NOW + first);
      expect(wakeFor(lazy, quiet(0), NOW + first)).toBe(NOW + second);
      expect(wakeFor(lazy, quiet(0), NOW + 5_000)).toBeNull();
      expect(wakeFor(lazy, quiet(148), NOW + 5_000)).toBe(NOW + first);
      expect(wakeFor(relayed, quiet(0), NOW)).toBeNull();
      expect(wakeFor(relayed, quiet(148, 148), NOW)).toBe(NOW + first);
    });
  });

  it("is not nudged when it was there before this agent", () => {
    expect(planFor(peerOf("P", 2), silent(), null)).toEqual([]);
    expect(planFor(peerOf("P", 2), silent(), remembered({ addedAtMs: null, nudgesDone: 0 }))).toEqual([]);
  });

  it("is looked at again when its next nudge is due", () => {
    const wakeFor = (observed: WireGuardPeer[], memory: PeerMemory) =>
      nextPeerWakeAtMs({ desired: [peerOf("P", 2)], observed, memory: new Map([[keyOf("P"), memory]]), nowMs: NOW });

    expect(wakeFor([], added(0, 0))).toBe(NOW + (PACE[0] ?? 0));
    expect(wakeFor([silent()], added(0, 3))).toBe(NOW + (PACE[3] ?? 0));
    expect(wakeFor([silent()], added(0, 5))).toBeNull();
    expect(wakeFor([present()], added(0, 0))).toBeNull();
  });
});
