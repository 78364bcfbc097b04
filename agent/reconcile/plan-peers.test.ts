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
  nudgesDone: 4,
  writtenEndpoint: OLD,
  deviceEpoch: null,
  ...changes,
});

function planFor(desired: ReturnType<typeof peerOf>, observed: WireGuardPeer, memory: PeerMemory | null, nowMs = NOW) {
  const known = new Map(memory === null ? [] : [[desired.publicKey, memory]]);
  return planPeers({ desired: [desired], observed: [observed], memory: known, nowMs });
}

describe("the endpoint of a peer", () => {
  const moved = peerOf("P", 2, { endpoint: NEW });

  it("is left alone when WireGuard has roamed away from what is desired", () => {
    expect(planFor(peerOf("P", 2), present({ endpoint: ROAMED }), remembered())).toEqual([]);
  });

  it("is left alone by a restarted agent when WireGuard has roamed", () => {
    expect(planFor(peerOf("P", 2), present({ endpoint: ROAMED }), null)).toEqual([]);
  });

  it("is not replaced by a newer one while there is a session", () => {
    expect(planFor(moved, present(), remembered())).toEqual([]);
    expect(planFor(moved, present({ latestHandshakeMs: NOW - 179_000 }), remembered())).toEqual([]);
  });

  it("is replaced by a newer one when there was no handshake in 180 s", () => {
    const plan = planFor(moved, present({ latestHandshakeMs: NOW - 180_000 }), remembered());

    expect(plan).toMatchObject([{ kind: "update", publicKey: keyOf("P"), endpoint: NEW }]);
  });

  it("is replaced at once when the peer says that it is no longer where we wrote that it is", () => {
    const takenBack = { ...moved, toldEndpoints: [NEW] };
    expect(planFor(takenBack, present(), remembered())).toMatchObject([{ kind: "update", endpoint: NEW }]);
    expect(planFor({ ...moved, toldEndpoints: [NEW, OLD] }, present(), remembered())).toEqual([]);
    expect(planFor(takenBack, present({ endpoint: ROAMED }), remembered())).toEqual([]);
    expect(planFor(takenBack, present(), null)).toEqual([]);
  });

  it("is replaced at once when the peer never answered there", () => {
    const memory = remembered({ addedAtMs: NOW - 100, nudgesDone: 0 });

    expect(planFor(moved, silent(), memory)).toMatchObject([{ kind: "update", endpoint: NEW }]);
    expect(planFor(moved, silent(), null)).toMatchObject([{ kind: "update", endpoint: NEW }]);
  });

  it("is left alone while a first handshake is under way from where the peer came", () => {
    const memory = remembered({ addedAtMs: NOW - 100, nudgesDone: 0 });

    expect(planFor(moved, silent({ endpoint: ROAMED, receivedBytes: 148 }), memory)).toEqual([]);
  });

  it("is written when none was known", () => {
    expect(planFor(moved, present({ endpoint: null }), null)).toMatchObject([{ kind: "update", endpoint: NEW }]);
  });

  it("goes back to the desired one when keepalives to the roamed one had no answer for 180 s", () => {
    const gone = present({ endpoint: ROAMED, latestHandshakeMs: NOW - 200_000 });

    expect(planFor(peerOf("P", 2), gone, remembered())).toMatchObject([{ kind: "update", endpoint: OLD }]);
  });

  it("stays where WireGuard roamed to when an idle peer without keepalive just had nothing to say", () => {
    const idle = present({ endpoint: ROAMED, latestHandshakeMs: NOW - 3_600_000, keepaliveSeconds: 0 });

    expect(planFor(peerOf("P", 2, { keepaliveSeconds: 0 }), idle, remembered())).toEqual([]);
    expect(planFor(peerOf("P", 2, { keepaliveSeconds: 0 }), idle, null)).toEqual([]);
  });

  it("is never taken away when there is nothing to try any more", () => {
    expect(planFor(peerOf("P", 2, { endpoint: null }), present({ latestHandshakeMs: null }), null)).toEqual([]);
  });
});

describe("a peer that differs", () => {
  it("is changed in what differs only, and keeps its session", () => {
    const desired = peerOf("P", 7, { endpoint: OLD, keepaliveSeconds: 0 });

    expect(planFor(desired, present(), remembered())).toEqual([
      {
        kind: "update",
        publicKey: keyOf("P"),
        allowedIps: ["10.1.0.7/32", "fd00:1::7/128"],
        keepaliveSeconds: 0,
        reason: "other allowed IPs; keepalive was 25",
      },
    ]);
  });

  it("is not changed because WireGuard lists its addresses in another order", () => {
    const observed = present({ allowedIps: ["fd00:1::2/128", "10.1.0.2/32"] });

    expect(planFor(peerOf("P", 2), observed, remembered())).toEqual([]);
  });
});

describe("a peer whose interface was made anew", () => {
  const restarted = peerOf("P", 2, { deviceEpoch: "second", toldEndpoints: [OLD] });
  const known = remembered({ deviceEpoch: "first" });

  it("shakes hands again at once, where it was last heard", () => {
    const plan = planFor({ ...restarted, toldEndpoints: [OLD] }, present(), known);

    expect(plan).toMatchObject([{ kind: "recreate", isNudge: false, peer: { endpoint: OLD } }]);
  });

  it("is sought at its new endpoint when it has moved meanwhile", () => {
    const moved = { ...restarted, endpoint: NEW, toldEndpoints: [NEW] };

    expect(planFor(moved, present(), known)).toMatchObject([{ kind: "recreate", peer: { endpoint: NEW } }]);
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
      ...{ addedAtMs: NOW, nudgesDone: 0, writtenEndpoint: OLD, deviceEpoch: "second" },
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

  it("is not nudged once anything was heard from it", () => {
    expect(planFor(peerOf("P", 2), present({ latestHandshakeMs: null, receivedBytes: 92 }), added(60_000, 0))).toEqual(
      [],
    );
    expect(planFor(peerOf("P", 2), present(), added(60_000, 0))).toEqual([]);
  });

  it("is not nudged when there is nowhere to send, nor when nothing is sent without traffic", () => {
    expect(planFor(peerOf("P", 2, { endpoint: null }), silent({ endpoint: null }), added(60_000, 0))).toEqual([]);
    const lazy = peerOf("P", 2, { keepaliveSeconds: 0 });
    expect(planFor(lazy, silent({ keepaliveSeconds: 0 }), added(60_000, 0))).toEqual([]);
  });

  it("is not nudged when it was there before this agent", () => {
    expect(planFor(peerOf("P", 2), silent(), null)).toEqual([]);
    expect(planFor(peerOf("P", 2), silent(), remembered({ addedAtMs: null, nudgesDone: 0 }))).toEqual([]);
  });

  it("is looked at again when its next nudge is due", () => {
    const wakeFor = (observed: WireGuardPeer[], memory: PeerMemory) =>
      nextPeerWakeAtMs({ desired: [peerOf("P", 2)], observed, memory: new Map([[keyOf("P"), memory]]) });

    expect(wakeFor([], added(0, 0))).toBe(NOW + (PACE[0] ?? 0));
    expect(wakeFor([silent()], added(0, 3))).toBe(NOW + (PACE[3] ?? 0));
    expect(wakeFor([silent()], added(0, 5))).toBeNull();
    expect(wakeFor([present()], added(0, 0))).toBeNull();
  });
});
