// The stateless packet rules that make the probe socket and WireGuard's socket one on the wire, as an nft script, and read back from what
// nft lists. Pure.
//
//   out:  probe ──► WireGuard's port ──► (towards a lane's remote) the lane's local port ──► network
//   in:   network ──► (from a lane's remote) WireGuard's port ──► STUN: probe · everything else: WireGuard
//
// They make no conntrack entry, and WireGuard's packets never leave the kernel. The priorities matter: `out` before conntrack (-200), so
// that a stateful firewall on this host records the port that the network sees; `in` after it, so that the answer is found in that record.
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";
import { type Chain, parseNftList, type Rule } from "../net/nft/nft-list.ts";
import { renderChainRemoval, TABLE } from "../net/nft/nft-table.ts";

export interface PacketRules {
  readonly ports: readonly ProbePort[];
  readonly lanes: readonly Lane[];
}

export interface ProbePort {
  readonly wireguardPort: number;
  readonly probePort: number;
}

/** Towards one endpoint WireGuard appears at another local port: the one that a birthday check came through at. */
export interface Lane {
  readonly wireguardPort: number;
  readonly localPort: number;
  readonly remote: Endpoint;
}

/** Only what is for this host itself, not what a gateway passes on. A lookup, so it comes last: WireGuard's own packets never get there. */
const TO_US = "fib daddr type local";
/** Type and magic cookie of a Binding request, success or error, behind the 64 bits of the UDP header. */
const IS_STUN = ["@th,64,16 { 0x0001, 0x0101, 0x0111 }", "@th,96,32 0x2112a442"];

/** One transaction: a packet sees the chains of before or these, never none. Equal rules give equal text. */
export function renderPacketRules(rules: PacketRules): string {
  const chains = toChains(rules);
  const removal = [...chains.keys()].map(renderChainRemoval).join("");
  const made = [...chains].map(([name, { hook, priority, rules: lines }]) =>
    [
      `  chain ${name} {`,
      `    type filter hook ${hook} priority ${priority}; policy accept;`,
      ...lines.map((phrases) => `    ${phrases.join(" ")}`),
      "  }",
    ].join("\n"),
  );
  return `${removal}table inet ${TABLE} {\n${made.join("\n")}\n}\n`;
}

/**
 * What `nft -j list table inet becket` prints. Null: our chains are not as renderPacketRules writes them, so they want writing again. Throws
 * a ParseError for what is no list.
 */
export function parsePacketRules(json: string): PacketRules | null {
  const listed = parseNftList(json);
  const chains = new Map([...listed].filter(([name]) => name === "out" || name === "in"));
  const out = (chains.get("out")?.rules ?? []).map(toFields);
  const found = toCanonical({ ports: out.flatMap(toProbePort), lanes: out.flatMap(toLane) });
  return toText(chains) === toText(toChains(found)) ? found : null;
}

export const isSameRules = (left: PacketRules, right: PacketRules): boolean =>
  renderPacketRules(left) === renderPacketRules(right);

/** In `out` lanes come after the probes, in `in` before them: so a lane carries the checks of its remote, too. */
function toChains(rules: PacketRules): Map<string, Chain> {
  const { ports, lanes } = toCanonical(rules);
  const out = [...ports.map(toProbeOut), ...lanes.map(toLaneOut)];
  const incoming = [...lanes.map(toLaneIn), ...ports.map(toProbeIn)];
  return new Map([
    ["out", { hook: "output", priority: -310, rules: out }],
    ["in", { hook: "prerouting", priority: -150, rules: incoming }],
  ]);
}

const toProbeOut = ({ wireguardPort, probePort }: ProbePort): Rule => [
  `udp sport ${probePort}`,
  `udp sport set ${wireguardPort}`,
];

const toProbeIn = ({ wireguardPort, probePort }: ProbePort): Rule => [
  `udp dport ${wireguardPort}`,
  ...IS_STUN,
  TO_US,
  `udp dport set ${probePort}`,
];

function toLaneOut({ wireguardPort, localPort, remote }: Lane): Rule {
  const { family, address, port } = toRemote(remote);
  return [
    `${family} daddr ${address}`,
    `udp sport ${wireguardPort}`,
    `udp dport ${port}`,
    `udp sport set ${localPort}`,
  ];
}

function toLaneIn({ wireguardPort, localPort, remote }: Lane): Rule {
  const { family, address, port } = toRemote(remote);
  return [
    `${family} saddr ${address}`,
    `udp sport ${port}`,
    `udp dport ${localPort}`,
    TO_US,
    `udp dport set ${wireguardPort}`,
  ];
}

function toRemote(remote: Endpoint): { family: "ip" | "ip6"; address: string; port: number } {
  const parts = parseEndpoint(remote);
  if (parts === null) throw new RangeError(`${remote} is no endpoint`);
  return { family: parts.address.includes(":") ? "ip6" : "ip", ...parts };
}

/** Sorted, each rule once, addresses in canonical text: what means the same is the same. */
function toCanonical({ ports, lanes }: PacketRules): PacketRules {
  const lane = ({ remote, ...rest }: Lane): Lane => ({ ...rest, remote: renderEndpoint(toRemote(remote)) });
  return { ports: sortUnique(ports), lanes: sortUnique(lanes.map(lane)) };
}

function sortUnique<T extends object>(values: readonly T[]): T[] {
  const byText = new Map(values.map((value) => [JSON.stringify(Object.entries(value).sort()), value]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** `udp sport 40001` is the field `udp sport`. */
const toFields = (rule: Rule): Map<string, string> =>
  new Map(rule.map((phrase) => [phrase.slice(0, phrase.lastIndexOf(" ")), phrase.slice(phrase.lastIndexOf(" ") + 1)]));

function toProbePort(fields: Map<string, string>): ProbePort[] {
  const [probePort, wireguardPort] = [fields.get("udp sport"), fields.get("udp sport set")];
  if (fields.size !== 2 || probePort === undefined || wireguardPort === undefined) return [];
  return [{ wireguardPort: Number(wireguardPort), probePort: Number(probePort) }];
}

function toLane(fields: Map<string, string>): Lane[] {
  const address = fields.get("ip daddr") ?? fields.get("ip6 daddr");
  const [wireguardPort, localPort] = [fields.get("udp sport"), fields.get("udp sport set")];
  if (address === undefined || wireguardPort === undefined || localPort === undefined) return [];
  const remote = address.includes(":")
    ? `[${address}]:${fields.get("udp dport")}`
    : `${address}:${fields.get("udp dport")}`;
  if (parseEndpoint(remote) === null) return [];
  return [{ wireguardPort: Number(wireguardPort), localPort: Number(localPort), remote: remote as Endpoint }];
}

/** nft moves conditions of one rule about, so their order doesn't count; that of the rules does. */
function toText(chains: Map<string, Chain>): string {
  const sorted = [...chains].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    sorted.map(([name, { rules, ...chain }]) => [name, chain, rules.map((rule) => [...rule].sort())]),
  );
}
