import { Ipv6, Ipv6Cidr } from "#schema/address";

/** Random bytes that `createUla` takes: 40 bits of global id and 16 of subnet id. */
export const ULA_RANDOM_BYTES = 7;

/** A /64 of unique local addresses: fd, a random global id (RFC 4193 section 3.2), a random subnet id. */
export function createUla(random: Uint8Array): Ipv6Cidr {
  const hex = `fd${[...random.subarray(0, ULA_RANDOM_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const groups = hex.match(/.{4}/g) ?? [];
  return Ipv6Cidr.parse(`${Ipv6.parse(`${groups.join(":")}::`)}/64`);
}
