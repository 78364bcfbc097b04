import type { BirdConfig } from "./bird-config.ts";

/** The large community (RFC 8092) of a mesh with which a machine says of its prefixes: take them from gateways, too. In BIRD's notation. */
export const toCopyMark = ({ asn }: Pick<BirdConfig, "asn">): string => `(${asn}, 0, 1)`;
