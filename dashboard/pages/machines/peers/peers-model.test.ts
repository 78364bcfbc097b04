import { describe, expect, it } from "vitest";
import { PeerTelemetry } from "#schema/path";
import { addSamples, countPaths, MAX_SAMPLES, type PeerHistories, selectPeers, toPeerKey } from "./peers-model.ts";

let made = 10;
const peer = (name: string, facts: object = {}): PeerTelemetry =>
  PeerTelemetry.parse({
    meshId: "msh_01kaqx4d8e6v2m9t7w3hncz5ra",
    machineId: `mch_01kaqx4d8e6v2m9t7w3hncz5${made++}`,
    name,
    status: "up",
    path: "direct",
    gatewayId: null,
    endpoint: "198.51.100.7:51820",
    handshakeAgeSeconds: 42,
    latencyMs: 12.5,
    lossRatio: 0,
    rxBytesPerSecond: 0,
    txBytesPerSecond: 0,
    reason: { code: "direct", message: "direct" },
    ...facts,
  });

const ALL = [
  peer("web-10", { latencyMs: 3, rxBytesPerSecond: 9 }),
  peer("web-9", { path: "relayed", endpoint: null, latencyMs: null, lossRatio: 0.2 }),
  peer("db", { status: "down", path: "none", endpoint: null, latencyMs: null, lossRatio: null }),
];
const names = (peers: readonly PeerTelemetry[]) => peers.map(({ name }) => name);

describe("peers", () => {
  it("are filtered by state, by path and by words", () => {
    expect(names(selectPeers(ALL, { status: "down" }))).toEqual(["db"]);
    expect(names(selectPeers(ALL, { path: "relayed" }))).toEqual(["web-9"]);
    expect(names(selectPeers(ALL, { q: "WEB 198.51" }))).toEqual(["web-10"]);
  });

  it.each([
    ["name", ["db", "web-9", "web-10"]],
    ["-name", ["web-10", "web-9", "db"]],
    ["status", ["db", "web-9", "web-10"]],
    ["latency", ["web-10", "db", "web-9"]],
    ["loss", ["web-9", "web-10", "db"]],
    ["traffic", ["web-10", "db", "web-9"]],
    ["nothing", ["db", "web-9", "web-10"]],
  ])("are sorted by %s", (sort, expected) => expect(names(selectPeers(ALL, { sort }))).toEqual(expected));

  it("are counted by path", () => expect(countPaths(ALL)).toEqual({ direct: 1, relayed: 1, transit: 0, none: 1 }));
});

describe("what was measured", () => {
  it("is kept for a while, and not for peers that went", () => {
    let histories: PeerHistories = new Map();
    for (let round = 0; round < MAX_SAMPLES + 5; round++) histories = addSamples(histories, ALL);
    const [first] = ALL;
    if (first === undefined) throw new Error("no peers");
    expect(histories.get(toPeerKey(first))).toHaveLength(MAX_SAMPLES);
    expect([...addSamples(histories, [first]).keys()]).toEqual([toPeerKey(first)]);
  });
});
