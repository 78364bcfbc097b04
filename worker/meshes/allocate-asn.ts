import { FIRST_PRIVATE_ASN, LAST_PRIVATE_ASN } from "#schema/mesh";

/** The lowest private AS number that is not in use. */
export function allocateAsn(used: Iterable<number>): number {
  const taken = new Set(used);
  for (let asn = FIRST_PRIVATE_ASN; asn <= LAST_PRIVATE_ASN; asn++) {
    if (!taken.has(asn)) return asn;
  }
  throw new Error("every private AS number is in use");
}
