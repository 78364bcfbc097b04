import { describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import type { WireGuardPublicKey } from "#schema/ids";
import { NOBODY, type PeerChange, renderPeerCommands, toPeerCommands } from "./peer-change.ts";

const key = (name: string) => name as WireGuardPublicKey;
const peer = (name: string, address: string) => ({
  publicKey: key(name),
  allowedIps: [`${address}/32`],
  endpoint: "192.0.2.1:51820" as Endpoint,
  keepaliveSeconds: 25,
});

const renderPeerChanges = (changes: readonly PeerChange[], canAdd = true) =>
  renderPeerCommands(toPeerCommands(changes, { canAdd }));

describe("what wg is told", () => {
  it("gives addresses to a new key before it removes the old one", () => {
    const changes: PeerChange[] = [
      { kind: "remove", publicKey: key("OLD"), reason: "" },
      { kind: "add", peer: peer("NEW", "10.1.0.2"), reason: "" },
    ];

    expect(renderPeerChanges(changes).map((args) => args.join(" "))).toEqual([
      "peer NEW endpoint 192.0.2.1:51820 persistent-keepalive 25 allowed-ips 10.1.0.2/32 peer OLD remove",
    ]);
  });

  it("has a peer that is to be awake begin a handshake, also where it keeps nothing alive", () => {
    const add = (keepaliveSeconds: number): PeerChange => ({
      ...{ kind: "add", isAwake: true, reason: "" },
      peer: { ...peer("NEW", "10.1.0.2"), keepaliveSeconds },
    });

    expect(renderPeerChanges([add(25)]).join()).toBe(
      "peer,NEW,endpoint,192.0.2.1:51820,persistent-keepalive,25,allowed-ips,10.1.0.2/32",
    );
    expect(renderPeerChanges([add(0)])[0]?.join(" ")).toMatch(
      /^peer NEW .* persistent-keepalive 1 .* peer NEW persistent-keepalive 0$/,
    );
  });

  it("says nothing of an endpoint that is not known", () => {
    const change: PeerChange = { kind: "add", peer: { ...peer("A", "10.1.0.2"), endpoint: null }, reason: "" };

    expect(renderPeerChanges([change])).toEqual([
      ["peer", "A", "persistent-keepalive", "25", "allowed-ips", "10.1.0.2/32"],
    ]);
  });

  it("adds allowed IPs where it can, and else replaces the list by one with all of them", () => {
    const allowedIps = {
      added: ["192.168.5.0/24", "fd00:5::/64"],
      all: ["10.1.0.2/32", "192.168.5.0/24", "fd00:5::/64"],
    };
    const change: PeerChange = { kind: "update", publicKey: key("A"), allowedIps, reason: "" };

    expect(renderPeerChanges([change], true)).toEqual([["peer", "A", "allowed-ips", "+192.168.5.0/24,+fd00:5::/64"]]);
    expect(renderPeerChanges([change], false)).toEqual([
      ["peer", "A", "allowed-ips", "10.1.0.2/32,192.168.5.0/24,fd00:5::/64"],
    ]);
  });

  it("withdraws allowed IPs by giving them to nobody, when all others have theirs and before peers are removed", () => {
    const changes: PeerChange[] = [
      { kind: "remove", publicKey: key("OLD"), reason: "" },
      { kind: "withdraw", allowedIps: ["192.168.5.0/24"], reason: "" },
      { kind: "add", peer: { ...peer("NEW", "10.1.0.2"), endpoint: null, keepaliveSeconds: 0 }, reason: "" },
    ];

    expect(renderPeerChanges(changes).map((args) => args.join(" "))).toEqual([
      `peer NEW persistent-keepalive 0 allowed-ips 10.1.0.2/32 peer ${NOBODY} allowed-ips 192.168.5.0/24 peer ${NOBODY} remove peer OLD remove`,
    ]);
    expect(Buffer.from(NOBODY, "base64")).toHaveLength(32);
  });

  it("has no argument that is too long, whatever is added or withdrawn", () => {
    const many = Array.from(
      { length: 10_000 },
      (_, index) => `2001:db8:aaaa:bbbb:cccc:dddd:${index.toString(16)}:1/128`,
    );
    const changes: PeerChange[] = [
      { kind: "update", publicKey: key("A"), allowedIps: { added: many, all: many }, keepaliveSeconds: 0, reason: "" },
      { kind: "withdraw", allowedIps: many, reason: "" },
    ];

    const args = renderPeerChanges(changes).flat();
    expect(Math.max(...args.map((arg) => arg.length))).toBeLessThan(128 * 1024);
    expect(args.filter((arg) => arg === "persistent-keepalive")).toHaveLength(1);
    expect(args.flatMap((arg) => arg.split(",")).filter((arg) => arg.includes("db8"))).toHaveLength(20_000);
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
