// bird.conf for one mesh, for BIRD 2.0.12 and newer. Pure. Nothing in it comes from others unchecked: addresses and ids are parsed values, names
// are stripped of all that could end a string.
//
// Routes live in BIRD's master tables; what makes a next hop reachable lives apart, in tables that hold the mesh's own networks only, so no
// announced route can say how to reach a next hop.
import { toPrefixLength } from "#schema/prefix";
import type { Announcement, BfdUse, BirdConfig, BirdMember, GatewayLink, Prefix } from "./bird-config.ts";
import {
  type ExactPrefixes,
  isIpv6,
  renderImportFrom,
  renderImportFromLink,
  toExactPrefixes,
  toReceiveLimit,
} from "./render-filters.ts";
import { renderLinkExport, renderMemberExport, renderPolicyFunctions } from "./render-policies.ts";

/** Not 179: a router of the machine's own may listen there on every address. */
export const BGP_PORT = 1790;
/** How long others keep the routes of a BIRD that vanished without a word, while its machine forwards on. */
const RESTART_SECONDS = 30;
/** How long a BIRD that came back waits for all its neighbours before it tidies the kernel's routes. */
const RECOVERY_SECONDS = 10;
/** A neighbour that says nothing for three intervals is gone. */
const BFD_INTERVAL_MS = 300;
const BFD_MULTIPLIER = 3;
const BFD_ENDING_SECONDS = 60;
/** To a neighbour that does not answer (yet). */
const BFD_IDLE_MS = 1_000;
const LOG_BYTES = 1_000_000;
/** RFC 8326: whoever has another route takes that one. */
const GRACEFUL_SHUTDOWN = " { bgp_local_pref = 0; bgp_community.add((65535, 0)); }";
const INDENT = "  ";
/** `member` is a word of BIRD's. */
const TEMPLATE = "mesh_member";

export function renderConfig(config: BirdConfig): string {
  const sessions = config.members.filter(({ hasSession }) => hasSession);
  const exactOf = toExactPrefixes(config);
  const sections = [
    renderGlobals(config),
    renderTables(config),
    ...renderPolicyFunctions(config),
    ...FAMILIES.map((family) => renderKernel(config, family)),
    ...config.announcements.flatMap(renderAnnouncement),
    ...renderGatewayNetworks(config),
    ...renderBfd(sessions),
    renderTemplate(config),
    ...sessions.map((member) => renderMember(config, exactOf, member)),
    ...config.gatewayLinks.map((link) => renderGatewayLink(config, link)),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** Its name in BIRD: a machine id is a symbol there as it is. */
export const toProtocolName = (member: Pick<BirdMember, "machineId">): string => member.machineId;
export const toLinkName = (link: Pick<GatewayLink, "meshId">): string => `gw_${link.meshId}`;

const FAMILIES = ["ipv4", "ipv6"] as const;
type Family = (typeof FAMILIES)[number];

function renderGlobals({ address, logFile }: BirdConfig): string {
  // Times as seconds since the epoch: the default is local time, which nobody can place in the hour when clocks are set back.
  const formats = ["base", "log", "protocol", "route"].map((what) => `timeformat ${what} "%s.%3f";`);
  return [
    `router id ${address};`,
    `log ${quote(logFile)} ${LOG_BYTES} ${quote(`${logFile}.old`)} { info, warning, error, fatal, bug, auth, remote };`,
    ...formats,
    `graceful restart wait ${RECOVERY_SECONDS};`,
  ].join("\n");
}

function renderTables({ interfaceName, gatewayLinks }: BirdConfig): string {
  // BIRD takes it for a pattern.
  if (!/^[\w.-]+$/.test(interfaceName)) throw new Error(`no interface of ours: ${JSON.stringify(interfaceName)}`);
  const links = gatewayLinks.flatMap(({ meshId, meshAddress, meshAddress6 }) => [
    // Without a next hop that is reachable, a gateway would prefer another gateway's route, and that one its. It can't be the link's own address:
    // BIRD takes no routes to 127.0.0.0/8.
    block(`protocol static via4_${meshId}`, ["ipv4 { table links4; };", `route ${meshAddress}/32 via "lo";`]),
    block(`protocol static via6_${meshId}`, ["ipv6 { table links6; };", `route ${meshAddress6}/128 via "lo";`]),
  ]);
  return [
    "ipv4 table links4;",
    "ipv6 table links6;",
    "protocol device device1 {}",
    block("protocol direct links", [
      "ipv4 { table links4; };",
      "ipv6 { table links6; };",
      `interface ${quote(interfaceName)};`,
    ]),
    ...links,
  ].join("\n");
}

/**
 * `persist` is off: a BIRD that is stopped takes its routes with it; one that dies leaves them, and tidies them when it is back.
 * What came from another mesh by a gateway link is that mesh's BIRD's to install.
 */
function renderKernel(config: BirdConfig, family: Family): string {
  const { kernelMetric, address, address6, gatewayLinks, networksOfOtherMeshes } = config;
  const source = family === "ipv4" ? address : address6;
  return block(`protocol kernel kernel_${family}`, [
    `metric ${kernelMetric};`,
    "learn off;",
    "persist off;",
    "graceful restart on;",
    `${family} {`,
    `${INDENT}import none;`,
    `${INDENT}export filter {`,
    // Without its mesh address BIRD would have the kernel refuse what others may still reach in another way.
    `${INDENT}${INDENT}if source != RTS_BGP || dest != RTD_UNICAST then reject;`,
    ...gatewayLinks.map((link) => `${INDENT}${INDENT}if proto = "${toLinkName(link)}" then reject;`),
    // The kernel would prefer a part of another mesh's network to the mesh itself.
    ...networksOfOtherMeshes
      .filter((network) => isIpv6(network) === (family === "ipv6"))
      .map((network) => `${INDENT}${INDENT}if net ~ [ ${renderInside(network)} ] then reject;`),
    // On a point-to-point interface, as WireGuard's is, BIRD leaves the gateway out: then nobody could tell which member it was.
    `${INDENT}${INDENT}gw = bgp_next_hop;`,
    `${INDENT}${INDENT}krt_prefsrc = ${source};`,
    `${INDENT}${INDENT}accept;`,
    `${INDENT}};`,
    "};",
  ]);
}

/** What is inside a network, without itself: of two that are equal, the machine's own comes first anyway. */
const renderInside = (network: Prefix): string =>
  `${network}{${toPrefixLength(network) + 1},${isIpv6(network) ? 128 : 32}}`;

/** A protocol for each family: BIRD's static protocol has one table. */
function renderAnnouncement({ id, prefixes, state }: Announcement): string[] {
  const lines = state === "withheld" ? ["disabled;"] : [];
  const attributes = state === "leaving" ? GRACEFUL_SHUTDOWN : "";
  return byFamily(prefixes).map(([family, ofFamily]) =>
    renderStatic({ name: `announce_${id}_${family}`, family, prefixes: ofFamily, lines, attributes }),
  );
}

/** What the gateway links tell the other meshes of this one. */
function renderGatewayNetworks({ gatewayLinks, cidr, cidr6 }: BirdConfig): string[] {
  if (gatewayLinks.length === 0) return [];
  return [
    renderStatic({ name: "mesh_ipv4", family: "ipv4", prefixes: [cidr] }),
    renderStatic({ name: "mesh_ipv6", family: "ipv6", prefixes: [cidr6] }),
  ];
}

/** `blackhole` is never installed (it is no BGP route); it only makes this machine the next hop. */
const renderStatic = ({ name, family, prefixes, lines = [], attributes = "" }: Static): string =>
  block(`protocol static ${name}`, [
    ...lines,
    `${family};`,
    ...prefixes.map((prefix) => `route ${prefix} blackhole${attributes};`),
  ]);

interface Static {
  readonly name: string;
  readonly family: Family;
  readonly prefixes: readonly Prefix[];
  readonly lines?: readonly string[];
  readonly attributes?: string;
}

/** `strict bind`: else it would take the packets for this machine's other BIRDs. */
function renderBfd(sessions: readonly BirdMember[]): string[] {
  if (!sessions.some(({ bfd }) => bfd !== "off")) return [];
  const timers = [
    `interval ${BFD_INTERVAL_MS} ms;`,
    `idle tx interval ${BFD_IDLE_MS} ms;`,
    `multiplier ${BFD_MULTIPLIER};`,
  ];
  return [block("protocol bfd bfd1", ["accept ipv4 multihop;", "strict bind;", `multihop { ${timers.join(" ")} };`])];
}

const BFD_LINES: Readonly<Record<BfdUse, readonly string[]>> = {
  off: [],
  on: ["bfd on;"],
  ending: [`bfd { interval ${BFD_ENDING_SECONDS} s; };`],
};

function renderTemplate(config: BirdConfig): string {
  const { asn, address, address6, isGateway } = config;
  const exported = isGateway ? "source ~ [ RTS_STATIC, RTS_BGP ]" : "source = RTS_STATIC";
  const channel = (family: Family, nextHop: string) => [
    `${family} {`,
    `${INDENT}igp table links${family.at(-1)};`,
    `${INDENT}next hop address ${nextHop};`,
    `${INDENT}next hop self ebgp;`,
    `${INDENT}import none;`,
    ...renderMemberExport(config, family, `${exported} && proto != "mesh_${family}"`).map((line) => INDENT + line),
    "};",
  ];
  return block(`template bgp ${TEMPLATE}`, [
    `local ${address} port ${BGP_PORT} as ${asn};`,
    "strict bind;",
    // Transit through a gateway takes a hop.
    "multihop;",
    ...TIMERS,
    "graceful restart on;",
    `graceful restart time ${RESTART_SECONDS};`,
    // Else a hold timer that ran out would keep stale routes instead of dropping them.
    "long lived graceful restart off;",
    // On every machine, though only gateways have something to pass on: a change of these would restart the session.
    "rr client;",
    `rr cluster id ${address};`,
    ...channel("ipv4", address),
    ...channel("ipv6", address6),
  ]);
}

const TIMERS = [
  "connect delay time 1;",
  // For 250 members that do not answer: 2 % of a core, where 2 s take 5 %. One that comes up calls by itself, after a second.
  "connect retry time 5;",
  "error wait time 1, 5;",
  "hold time 9;",
  "keepalive time 3;",
];

function renderMember(config: BirdConfig, exactOf: ExactPrefixes, member: BirdMember): string {
  const channel = (family: Family) => [
    `${family} {`,
    `${INDENT}import keep filtered;`,
    `${INDENT}receive limit ${toReceiveLimit(config, exactOf, member, family)} action block;`,
    `${INDENT}import filter {`,
    ...renderImportFrom(config, exactOf, member, family).map((line) => INDENT + INDENT + line),
    `${INDENT}};`,
    "};",
  ];
  return block(`protocol bgp ${toProtocolName(member)} from ${TEMPLATE}`, [
    `description ${quote(member.name)};`,
    `neighbor ${member.address} port ${BGP_PORT} as ${config.asn};`,
    ...BFD_LINES[member.bfd],
    ...channel("ipv4"),
    ...channel("ipv6"),
  ]);
}

function renderGatewayLink(config: BirdConfig, link: GatewayLink): string {
  const channel = (family: Family) => [
    `${family} {`,
    `${INDENT}igp table links${family.at(-1)};`,
    `${INDENT}next hop address ${family === "ipv4" ? config.address : config.address6};`,
    `${INDENT}next hop self;`,
    `${INDENT}import keep filtered;`,
    `${INDENT}import filter {`,
    ...renderImportFromLink(config, link, family).map((line) => INDENT + INDENT + line),
    `${INDENT}};`,
    ...renderLinkExport(config, family, "source ~ [ RTS_STATIC, RTS_BGP ]").map((line) => INDENT + line),
    "};",
  ];
  return block(`protocol bgp ${toLinkName(link)}`, [
    `local ${link.localAddress} port ${BGP_PORT} as ${config.asn};`,
    `neighbor ${link.remoteAddress} port ${BGP_PORT} as ${link.asn};`,
    "strict bind;",
    "multihop;",
    ...TIMERS,
    ...channel("ipv4"),
    ...channel("ipv6"),
  ]);
}

function byFamily(prefixes: readonly Prefix[]): [Family, readonly Prefix[]][] {
  const all: [Family, readonly Prefix[]][] = [
    ["ipv4", prefixes.filter((prefix) => !isIpv6(prefix))],
    ["ipv6", prefixes.filter(isIpv6)],
  ];
  return all.filter(([, ofFamily]) => ofFamily.length > 0);
}

function block(head: string, lines: readonly string[]): string {
  return [`${head} {`, ...lines.map((line) => INDENT + line), "}"].join("\n");
}

/** BIRD's strings end at a quote or at the end of the line, and have no escapes. */
const quote = (text: string): string => `"${text.replace(/[^ !#-~]/g, "?")}"`;
