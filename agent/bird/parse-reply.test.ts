import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isParseError } from "../system/parse-error.ts";
import { parseProtocols } from "./parse-protocols.ts";
import { type BirdReply, isWholeReply, parseReply } from "./parse-reply.ts";
import { parseRoutes } from "./parse-routes.ts";
import { parseStatus } from "./parse-status.ts";

const GREETING = "0001 BIRD 2.0.12 ready.\n";
const read = (name: string, version = "2.0.12") =>
  readFileSync(new URL(`./testdata/bird-${version}/${name}.txt`, import.meta.url), "utf8");
const recorded = (name: string, version?: string) => parseReply(read(name, version));

describe("isWholeReply", () => {
  it("waits for the end of the reply that follows the greeting, however it is cut", () => {
    const text = read("show-route-all");
    const whole = Array.from(text, (_, index) => index + 1).filter((length) => isWholeReply(text.slice(0, length)));
    expect(whole).toEqual([text.length]);
  });
});

describe("parseReply", () => {
  it("repeats the code on lines that leave it out", () => {
    expect(
      parseReply(`${GREETING}1000-BIRD 2.0.12\n1011-Router ID is 10.1.0.1\n Hostname is x\n0013 Daemon is up\n`),
    ).toEqual({
      code: 13,
      message: "Daemon is up",
      lines: [
        { code: 1000, text: "BIRD 2.0.12", lineNumber: 2 },
        { code: 1011, text: "Router ID is 10.1.0.1", lineNumber: 3 },
        { code: 1011, text: "Hostname is x", lineNumber: 4 },
      ],
    });
  });

  it("hears a failure", () => {
    const text = `${GREETING}0002-Reading configuration from /x\n8002 /x:1:1 syntax error\n`;
    expect(parseReply(text)).toMatchObject({ code: 8002, message: "/x:1:1 syntax error" });
  });

  it("overhears what BIRD logs meanwhile", () => {
    expect(parseReply(`${GREETING}+mch_2: Started\n0003 Reconfigured\n`)).toEqual({
      code: 3,
      message: "Reconfigured",
      lines: [],
    });
  });

  it.each([
    ["", 1],
    ["ERROR\n0000 \n", 1],
    [`${GREETING}1000-x\n`, 2],
    [`${GREETING} x\n0000 \n`, 2],
    [`${GREETING}1000-x\nnonsense\n0000 \n`, 3],
  ])("refuses %j, and says where", (text, line) => {
    let failure: unknown;
    try {
      parseReply(text);
    } catch (error) {
      failure = error;
    }
    expect(isParseError(failure) && failure.line).toBe(line);
  });
});

describe("parseStatus", () => {
  it("reads what BIRD 2.0.12 says", () => {
    expect(parseStatus(recorded("show-status"))).toEqual({
      version: "2.0.12",
      routerId: "10.77.0.1",
      state: "running",
      startedAtMs: 1_795_651_100_404,
      configuredAtMs: 1_795_651_100_404,
    });
  });
});

describe("parseProtocols", () => {
  const protocols = parseProtocols(recorded("show-protocols-all"));
  const find = (name: string) => protocols.find((protocol) => protocol.name === name);

  it("reads a session that is Established", () => {
    expect(find("mch_00000000000000000000000002")).toEqual({
      name: "mch_00000000000000000000000002",
      type: "BGP",
      state: "up",
      sinceMs: expect.any(Number),
      session: { state: "Established", neighbor: "10.77.0.2", lastError: null, isRestarting: false },
      channels: [
        { name: "ipv4", state: "UP", importedCount: 3, filteredCount: 1, exportedCount: 1 },
        { name: "ipv6", state: "UP", importedCount: 1, filteredCount: 0, exportedCount: 0 },
      ],
    });
  });

  it("reads why a session is not Established", () => {
    const down = { state: "DOWN", importedCount: 0, filteredCount: 0, exportedCount: 0 };
    expect(find("mch_00000000000000000000000004")).toMatchObject({
      state: "start",
      session: { state: "Active", lastError: "Socket: No route to host" },
      channels: [
        { name: "ipv4", ...down },
        { name: "ipv6", ...down },
      ],
    });
  });

  it("reads protocols of other types", () => {
    expect(protocols.map(({ name, type, session }) => [name, type, session === null])).toEqual([
      ["device1", "Device", true],
      ["links", "Direct", true],
      ["kernel_ipv4", "Kernel", true],
      ["kernel_ipv6", "Kernel", true],
      ["announce_vip_ipv4", "Static", true],
      ["mch_00000000000000000000000002", "BGP", false],
      ["mch_00000000000000000000000003", "BGP", false],
      ["mch_00000000000000000000000004", "BGP", false],
    ]);
  });
});

describe("parseRoutes", () => {
  const routes = parseRoutes(recorded("show-route-all"), { areFiltered: false });

  it("reads all attributes", () => {
    expect(routes.find(({ prefix }) => prefix === "10.88.0.0/16")).toEqual({
      prefix: "10.88.0.0/16",
      nextHop: "10.77.0.2",
      interfaceName: "v0",
      protocol: "mch_00000000000000000000000002",
      sinceMs: 1_795_651_101_315,
      bgp: {
        nextHop: "10.77.0.2",
        asPath: ["4200000099", "4200000088"],
        localPreference: 100,
        med: 17,
        communities: ["65000:100", "65000:101", "4200000077:1:2"],
      },
      isBest: true,
      isFiltered: false,
    });
  });

  it("reads two routes to one prefix, IPv6, and what this machine announces", () => {
    expect(routes.map(({ prefix, nextHop, isBest }) => [prefix, nextHop, isBest])).toEqual([
      ["10.77.200.9/32", null, true],
      ["192.168.50.0/24", "10.77.0.2", true],
      ["10.77.200.1/32", "10.77.0.3", true],
      ["10.77.200.1/32", "10.77.0.2", false],
      ["10.88.0.0/16", "10.77.0.2", true],
      ["fd50::/48", "fd77::2", true],
      ["fd50::/48", "fd77::3", false],
    ]);
    expect(routes[0]?.bgp).toBeNull();
  });

  it("calls nothing best that a filter refused", () => {
    const filtered = parseRoutes(recorded("show-route-all-filtered"), { areFiltered: true });
    expect(filtered.map(({ prefix, isBest, isFiltered }) => [prefix, isBest, isFiltered])).toEqual([
      ["0.0.0.0/0", false, true],
      ["192.168.50.0/24", false, true],
    ]);
  });

  it("reads the same of what BIRD 3 says", () => {
    const toComparable = (reply: BirdReply) =>
      parseRoutes(reply, { areFiltered: false })
        .map(({ prefix, nextHop, interfaceName, protocol, bgp }) => ({ prefix, nextHop, interfaceName, protocol, bgp }))
        .sort((left, right) => `${left.prefix} ${left.nextHop}`.localeCompare(`${right.prefix} ${right.nextHop}`));
    expect(toComparable(recorded("show-route-all", "3.1.8"))).toEqual(toComparable(recorded("show-route-all")));
    expect(parseStatus(recorded("show-status", "3.1.8"))).toMatchObject({ version: "3.1.8", state: "running" });
    const sessions = parseProtocols(recorded("show-protocols-all", "3.1.8"));
    expect(sessions.map(({ session }) => session?.state)).toEqual(["Established", "Established", "Connect"]);
    expect(sessions[0]?.channels[0]).toMatchObject({ state: "UP", importedCount: 3, filteredCount: 1 });
  });

  it("reads a path with a set, and an IPv6 next hop with a link-local one", () => {
    const text = [
      "1007-Table master4:",
      " 10.88.0.0/16         unicast [mch_2 1795651101.315] * (100) [AS4200000088i]",
      " \tvia 10.77.0.2 on v0",
      "1012-\tbgp_path: 4200000088 {1 2}",
      " \tbgp_next_hop: fd77::2 fe80::1",
    ];
    const reply = parseReply(`${GREETING}${text.join("\n")}\n0000 \n`);
    const [route] = parseRoutes(reply, { areFiltered: false });
    expect(route?.bgp).toMatchObject({ nextHop: "fd77::2", asPath: ["4200000088", "{1 2}"] });
  });
});
