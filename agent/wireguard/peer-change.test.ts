import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";
import { type PeerChange, renderPeerChanges } from "./peer-change.ts";

const key = (name: string) => name as WireGuardPublicKey;
const peer = (name: string, address: string) => ({
  publicKey: key(name),
  allowedIps: [`${address}/32`],
  endpoint: "192.0.2.1:51820" as Endpoint,
  keepaliveSeconds: 25,
});

describe("renderPeerChanges", () => {
  it("gives addresses to a new key before it removes the old one", () => {
    const changes: PeerChange[] = [
      { kind: "remove", publicKey: key("OLD"), reason: "" },
      { kind: "add", peer: peer("NEW", "10.1.0.2"), reason: "" },
    ];

    expect(renderPeerChanges(changes).map((args) => args.join(" "))).toEqual([
      "peer NEW endpoint 192.0.2.1:51820 persistent-keepalive 25 allowed-ips 10.1.0.2/32 peer OLD remove",
    ]);
  });

  it("says nothing of an endpoint that is not known", () => {
    const change: PeerChange = { kind: "add", peer: { ...peer("A", "10.1.0.2"), endpoint: null }, reason: "" };

    expect(renderPeerChanges([change])).toEqual([
      ["peer", "A", "persistent-keepalive", "25", "allowed-ips", "10.1.0.2/32"],
    ]);
  });

  it("needs one command for 250 peers and never one that is too long for 5,000", () => {
    const changes = (count: number): PeerChange[] =>
      Array.from({ length: count }, (_, index) => ({
        kind: "add",
        peer: peer("K".repeat(44), `10.1.0.${index}`),
        reason: "",
      }));

    expect(renderPeerChanges(changes(250))).toHaveLength(1);
    const lengths = renderPeerChanges(changes(5_000)).map((args) => args.join(" ").length);
    expect(Math.max(...lengths)).toBeLessThan(128 * 1024);
    expect(
      renderPeerChanges(changes(5_000))
        .flat()
        .filter((arg) => arg === "peer"),
    ).toHaveLength(5_000);
  });

  it("needs no command for no change", () => {
    expect(renderPeerChanges([])).toEqual([]);
  });
});
