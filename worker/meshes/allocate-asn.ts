import { FIRST_PRIVATE_ASN, LAST_PRIVATE_ASN } from "#schema/mesh";

/** The lowest private AS number that is not in use, after passing over `skip` others. */
export function allocateAsn(used: Iterable<number>, skip: number): number {
  const taken = new Set(used);
  let left = skip;
  for (let asn = FIRST_PRIVATE_ASN; asn <= LAST_PRIVATE_ASN; asn++) {
    if (!taken.has(asn) && left-- === 0) return asn;
  }
  throw new Error("every private AS number is in use");
}
