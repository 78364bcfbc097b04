// Addresses: parse, format, contain, overlap. IPv4 arithmetic is on unsigned 32-bit numbers.
import ipaddr from "ipaddr.js";
import { z } from "zod";

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

export const Ipv4 = z
  .string()
  .refine((text) => IPV4.test(text), { message: "must be an IPv4 address like 10.0.0.1" })
  .meta({ description: "An IPv4 address.", format: "ipv4", examples: ["10.1.0.7"] })
  .brand<"Ipv4">();
export type Ipv4 = z.infer<typeof Ipv4>;

/** ipaddr.js takes an IPv4 address in the last 32 bits for an IPv4-mapped one, whatever is before it: `::192.0.2.1` is another address. */
const isReadRight = (text: string): boolean => !text.includes(".") || /^::ffff:/i.test(text);

/**
 * True for most canonical texts, at the price of a look: no group is zero but those that `::` stands for, which are two or more. Lists of
 * a thousand machines have a thousand.
 */
const isPlainIpv6 = (text: string): boolean =>
  /^(?:[1-9a-f][0-9a-f]{0,3}:){1,5}(?::[1-9a-f][0-9a-f]{0,3}){1,5}$/.test(text) && text.split(":").length <= 7;

const isIpv6 = (text: string): boolean => ipaddr.IPv6.isValid(text) && !text.includes("%") && isReadRight(text);

/** Any valid spelling that is read right is taken; the value is the canonical text of RFC 5952. Zone identifiers are refused. */
export const Ipv6 = z
  .string()
  .refine((text) => isPlainIpv6(text) || isIpv6(text), { message: "must be an IPv6 address" })
  .meta({ description: "An IPv6 address.", format: "ipv6", examples: ["fd5a:7c1e:9b02::7"] })
  .transform((text) => (isPlainIpv6(text) ? text : ipaddr.IPv6.parse(text).toRFC5952String()))
  .brand<"Ipv6">();
export type Ipv6 = z.infer<typeof Ipv6>;

export const IpAddress = z.union([Ipv4, Ipv6]);
export type IpAddress = z.infer<typeof IpAddress>;

/** An IPv4 network like 10.1.0.0/16: host bits are zero. */
export const Ipv4Cidr = z
  .string()
  .refine((text) => parseIpv4Cidr(text) !== null, {
    message: "must be an IPv4 network like 10.1.0.0/16, with no bit set behind its length",
  })
  .meta({ description: "An IPv4 network; its host bits are zero.", examples: ["10.1.0.0/16"] })
  .brand<"Ipv4Cidr">();
export type Ipv4Cidr = z.infer<typeof Ipv4Cidr>;

/** An IPv6 network like fd00:1::/64: host bits are zero, canonical text. */
export const Ipv6Cidr = z
  .string()
  .refine((text) => parseIpv6Cidr(text) !== null, { message: "must be an IPv6 network like fd00:1::/64" })
  .meta({ description: "An IPv6 network; its host bits are zero.", examples: ["fd5a:7c1e:9b02::/64"] })
  .brand<"Ipv6Cidr">();
export type Ipv6Cidr = z.infer<typeof Ipv6Cidr>;

/** `192.0.2.1:51820` or `[2001:db8::1]:51820`. Any valid spelling is taken; the value is canonical, so equal text is the same endpoint. */
export const Endpoint = z
  .string()
  .max(64)
  .refine((text) => parseEndpoint(text) !== null, { message: "must be ip:port, or [ip]:port for IPv6" })
  .transform(toCanonicalEndpoint)
  .brand<"Endpoint">();
export type Endpoint = z.infer<typeof Endpoint>;

export interface Ipv4Range {
  /** First address of the network, as a number. */
  readonly first: number;
  /** Last address of the network (the broadcast address), as a number. */
  readonly last: number;
  readonly prefixLength: number;
}

/** The range of a canonical IPv4 network, or null when the text is not one (bad syntax or host bits set). */
export function parseIpv4Cidr(text: string): Ipv4Range | null {
  const match = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\/(\d{1,2})$/.exec(text);
  const address = match?.[1] ?? "";
  const prefixLength = Number(match?.[2] ?? "99");
  if (prefixLength > 32 || String(prefixLength) !== match?.[2] || !Ipv4.safeParse(address).success) return null;
  const size = 2 ** (32 - prefixLength);
  const first = toIpv4Number(address);
  if (first % size !== 0) return null;
  return { first, last: first + size - 1, prefixLength };
}

function parseIpv6Cidr(text: string): string | null {
  const [address, length, ...more] = text.split("/");
  if (address === undefined || length === undefined || more.length > 0) return null;
  const prefixLength = Number(length);
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 128 || String(prefixLength) !== length)
    return null;
  if (!ipaddr.IPv6.isValid(address) || address.includes("%")) return null;
  const network = ipaddr.IPv6.networkAddressFromCIDR(text);
  return network.toRFC5952String() === address ? text : null;
}

export interface EndpointParts {
  readonly address: IpAddress;
  readonly port: number;
}

/** The parts of an endpoint's text, or null when it is not one. */
export function parseEndpoint(text: string): EndpointParts | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|(\d+\.\d+\.\d+\.\d+)):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const port = Number(match[3]);
  if (port < 1 || port > 65_535 || String(port) !== match[3]) return null;
  const address = match[1] === undefined ? Ipv4.safeParse(match[2]) : Ipv6.safeParse(match[1]);
  return address.success ? { address: address.data, port } : null;
}

export function renderEndpoint(parts: { address: string; port: number }): Endpoint {
  return Endpoint.parse(toEndpointText(parts));
}

function toCanonicalEndpoint(text: string): string {
  const parts = parseEndpoint(text);
  return parts === null ? text : toEndpointText(parts);
}

const toEndpointText = ({ address, port }: { address: string; port: number }): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

export function toIpv4Number(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

export function renderIpv4(value: number): Ipv4 {
  return Ipv4.parse([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join("."));
}

/** The mesh IPv6 of a member: the mesh's /64 plus the offset of its IPv4 address inside the mesh's CIDR (10.1.0.7 in 10.1.0.0/16 is ::7). */
export function toMeshIpv6(cidr6: string, hostNumber: number): Ipv6 {
  const parts = [...ipaddr.IPv6.parse(cidr6.split("/")[0] ?? "").parts];
  parts[6] = Math.floor(hostNumber / 65_536);
  parts[7] = hostNumber % 65_536;
  return Ipv6.parse(new ipaddr.IPv6(parts).toString());
}

/** True when one of the two canonical IPv4 networks contains the other. */
export function isOverlapping(left: string, right: string): boolean {
  const a = parseIpv4Cidr(left);
  const b = parseIpv4Cidr(right);
  return a !== null && b !== null && a.first <= b.last && b.first <= a.last;
}

/** True when `address` lies inside `network` (same family; both valid text), else false. */
export function isInside(address: string, network: string): boolean {
  const [base, length] = ipaddr.parseCIDR(network);
  const parsed = ipaddr.parse(address);
  return parsed.kind() === base.kind() && parsed.match(base, length);
}

const PRIVATE_RANGES = new Set([
  "private",
  "carrierGradeNat",
  "uniqueLocal",
  "linkLocal",
  "loopback",
  "unspecified",
  "multicast",
  "broadcast",
]);

/**
 * True for an address that hosts elsewhere can't reach: RFC 1918, 100.64.0.0/10, ULA, link-local, loopback, multicast.
 * Documentation ranges (RFC 5737, RFC 3849) count as public, so that a lab's internet behaves as the real one does.
 */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE_RANGES.has(ipaddr.parse(address).range());
}
