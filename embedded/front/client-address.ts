// Whom a request comes from. Only a proxy that the operator named may say so; from anybody else such a header is what the client wrote. Pure.
import ipaddr from "ipaddr.js";
import { err, ok, type Result } from "#schema/result";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type TrustedProxies = readonly [Address, number][];

/** Addresses and prefixes, comma separated. */
export function parseTrustedProxies(text: string | undefined): Result<TrustedProxies, string> {
  const proxies: [Address, number][] = [];
  for (const part of (text ?? "").split(",").map((entry) => entry.trim())) {
    if (part === "") continue;
    const parsed = parsePrefix(part);
    if (!parsed.ok) return err(`"${part}" ${parsed.error}`);
    proxies.push(parsed.value);
  }
  return ok(proxies);
}

export interface Origin {
  /** Null: this machine itself, which nobody vouches for: a proxy that was not named, or a command. */
  readonly clientAddress: string | null;
  /** As a trusted proxy says that the client came. */
  readonly protocol: "http" | "https" | null;
}

export function readOrigin(
  peerAddress: string | undefined,
  headers: { readonly forwardedFor: string; readonly forwardedProto: string | undefined },
  proxies: TrustedProxies,
): Origin {
  const peer = parseAddress(peerAddress ?? "");
  if (peer === null) return { clientAddress: null, protocol: null };
  if (!isTrusted(peer, proxies)) {
    return { clientAddress: peer.range() === "loopback" ? null : peer.toString(), protocol: null };
  }
  const protocol = headers.forwardedProto?.split(",").at(-1)?.trim().toLowerCase();
  return {
    clientAddress: findClient(peer, headers.forwardedFor, proxies).toString(),
    protocol: protocol === "http" || protocol === "https" ? protocol : null,
  };
}

/** Each proxy appends whom it heard: the last one that is no proxy of ours is the client, whatever it wrote before that. */
function findClient(peer: Address, forwardedFor: string, proxies: TrustedProxies): Address {
  let client = peer;
  for (const entry of forwardedFor.split(",").reverse()) {
    const address = parseAddress(withoutPort(entry.trim()));
    if (address === null) return client;
    client = address;
    if (!isTrusted(address, proxies)) return client;
  }
  return client;
}

const isTrusted = (address: Address, proxies: TrustedProxies): boolean =>
  proxies.some(([network, length]) => network.kind() === address.kind() && address.match(network, length));

/** An IPv4 address in IPv6's clothes, as a socket for both families has it, is an IPv4 address. */
function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  // ipaddr also takes what C does: 10 is 0.0.0.10, and 010.0.0.1 is 8.0.0.1.
  return ipaddr.IPv6.isValid(text) && text.includes(":") ? ipaddr.process(text) : null;
}

function parsePrefix(text: string): Result<[Address, number], string> {
  const [, addressText = "", lengthText] = /^([^/]*)(?:\/(0|[1-9]\d*))?$/.exec(text) ?? [];
  const address = parseAddress(addressText);
  if (address === null) return err("is no address and no prefix of a proxy, like 127.0.0.1, 10.0.0.0/8 or fd00::/8");
  const isIpv4 = address.kind() === "ipv4";
  const full = isIpv4 ? 32 : 128;
  if (lengthText === undefined) return ok([address, full]);
  if (isIpv4 && addressText.includes(":")) return err("is an IPv4 prefix in IPv6's clothes: write it as 10.0.0.0/8");
  const length = Number(lengthText);
  if (length > full) return err(`has a length of more than ${full}`);
  const canonical = `${(isIpv4 ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(`${address}/${length}`)}/${length}`;
  if (canonical !== `${address}/${length}`)
    return err(`has bits behind its prefix: write ${canonical}, or the address alone`);
  return ok([address, length]);
}

/** Some proxies tell the port too. */
const withoutPort = (text: string): string =>
  /^\[(?<v6>[^\]]+)\](?::\d+)?$/.exec(text)?.groups?.v6 ?? /^(?<v4>[\d.]+):\d+$/.exec(text)?.groups?.v4 ?? text;
