import { describe, expect, test } from "vitest";
import { isHopeless, isViable, toBirthdayRole, toEasyEndpoint, toGuess } from "./candidates.ts";
import { candidate, EASY_CANDIDATES, endpoint, NATS, setUpPath, toLocal, toPeer } from "./testing/path-fixture.ts";

const { here, there } = NATS;

describe("an endpoint", () => {
  test("is worth checks when this machine has an address of its family, and is not itself", () => {
    const local = toLocal({}, ["10.0.0.1"]);
    expect(isViable(endpoint("198.51.100.2:1"), local)).toBe(true);
    expect(isViable(endpoint("[2001:db8::1]:1"), local)).toBe(false);
    expect(isViable(endpoint("10.0.0.1:1"), local)).toBe(false);
  });
});

describe("guessing ports", () => {
  test("has a role for each side of a hard and an easy NAT, and none elsewhere", () => {
    const firewall = { ...there.none, filtering: "address-dependent" as const };
    expect(toBirthdayRole(here.hard, there.easy)).toBe("open_ports");
    expect(toBirthdayRole(here.easy, there.hard)).toBe("guess_ports");
    expect(toBirthdayRole(here.hard, firewall)).toBe("open_ports");
    expect(toBirthdayRole(here.hard, there.none)).toBeNull();
    expect(toBirthdayRole(here.hard, there.hard)).toBeNull();
    expect(toBirthdayRole(here.easy, there.easy)).toBeNull();
    expect(toBirthdayRole(here.hard, there.blocked)).toBeNull();
    expect(toBirthdayRole(null, there.hard)).toBeNull();
  });

  test("goes where the easy side is seen from outside, over IPv4", () => {
    expect(toEasyEndpoint(toPeer({ candidates: EASY_CANDIDATES }))).toBe("198.51.100.2:51820");
    expect(toEasyEndpoint(toPeer({ candidates: [candidate("host", "[2001:db8::1]:1")] }))).toBeNull();
    const both = [candidate("stun", "198.51.100.2:1"), candidate("port_mapped", "198.51.100.2:2")];
    expect(toEasyEndpoint(toPeer({ candidates: both }))).toBe("198.51.100.2:2");
  });
});

describe("a pair is hopeless", () => {
  const isHopelessWith = (options: Parameters<typeof setUpPath>[0]) => isHopeless(setUpPath(options).state());

  test("when UDP is blocked or both NATs are hard", () => {
    expect(isHopelessWith({ local: { nat: here.blocked } })).toBe(true);
    expect(isHopelessWith({ peer: { nat: there.blocked } })).toBe(true);
    expect(isHopelessWith({ local: { nat: here.hard }, peer: { nat: there.hard } })).toBe(true);
  });

  test("but not on one network, whatever the NATs are", () => {
    const candidates = [candidate("host", "10.0.0.2:51820")];
    expect(isHopelessWith({ local: { nat: here.blocked }, peer: { nat: there.blocked, candidates } })).toBe(false);
  });

  test("but not where a port was opened on purpose", () => {
    for (const type of ["port_mapped", "static"] as const) {
      const candidates = [candidate(type, "198.51.100.2:51820")];
      expect(isHopelessWith({ local: { nat: here.hard }, peer: { nat: there.hard, candidates } })).toBe(false);
    }
  });
});

describe("a guess without checks", () => {
  const guess = (candidates: ReturnType<typeof candidate>[], addresses?: string[]) =>
    toGuess({ peer: toPeer({ candidates }), local: toLocal({}, addresses) });

  test("is a neighbour first, then IPv6 where we have it, then IPv4", () => {
    const all = [
      candidate("host", "198.51.100.2:1"),
      candidate("host", "[2001:db8::2]:1"),
      candidate("host", "10.0.0.2:1"),
    ];
    expect(guess(all)).toBe("10.0.0.2:1");
    expect(guess(all.slice(0, 2), ["10.0.0.1", "2001:db8:1::1"])).toBe("[2001:db8::2]:1");
    expect(guess(all.slice(0, 2))).toBe("198.51.100.2:1");
  });

  test("is never a private address of another network", () => {
    expect(guess([candidate("host", "10.9.0.2:1")])).toBeNull();
  });
});
