// BGP communities (RFC 1997) and large communities (RFC 8092). A mesh's own AS number has four bytes, which only a large one can hold.
import { z } from "zod";

const [TWO_BYTES, FOUR_BYTES] = [65_535, 4_294_967_295];

export const Community = z
  .string()
  .max(32)
  .refine((text) => toParts(text) !== null, {
    message: "must be a community like 65000:100, or a large one like 4200000001:1:100, in plain decimals",
  })
  .meta({
    description:
      "A BGP community: two numbers up to 65535 (RFC 1997), or three up to 4294967295 for a large one (RFC 8092).",
    examples: ["65000:100"],
  })
  .brand<"Community">();
export type Community = z.infer<typeof Community>;

export const isLargeCommunity = (community: string): boolean => community.split(":").length === 3;

function toParts(text: string): number[] | null {
  const parts = text.split(":");
  const most = parts.length === 3 ? FOUR_BYTES : TWO_BYTES;
  if (parts.length !== 2 && parts.length !== 3) return null;
  const numbers = parts.map((part) => (/^(0|[1-9]\d{0,9})$/.test(part) ? Number(part) : Number.NaN));
  return numbers.every((number) => number <= most) ? numbers : null;
}
