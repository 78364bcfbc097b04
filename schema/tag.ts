// Tags: short words that people put on machines, to find and to group them. They change nothing of what a machine may do.
import { z } from "zod";
import { MAX_TAGS_PER_MACHINE } from "./limits.ts";

const PATTERN = /^[a-z0-9][a-z0-9-]{0,30}(:[a-z0-9][a-z0-9.-]{0,30})?$/;

export const Tag = z
  .string()
  .regex(PATTERN, "must be lower-case letters, digits and hyphens, like web, or key:value, like site:berlin")
  // On a command line it says that there shall be no tag.
  .refine((tag) => tag !== "none", "can't be none")
  .meta({
    description:
      "A word of lower-case letters, digits and hyphens, or key:value; at most 31 characters each, in values dots as well.",
    examples: ["site:berlin"],
  });

/** In the order of the alphabet, each once, however they were written. */
export const Tags = z
  .array(Tag)
  .max(MAX_TAGS_PER_MACHINE)
  .overwrite((tags) => [...new Set(tags)].sort());

/** The place that a machine is at, by its tag `site:NAME`; of several the first. Null: it has none. */
export function toSite(tags: readonly string[]): string | null {
  const tag = tags.find((one) => one.startsWith(SITE_KEY));
  return tag === undefined ? null : tag.slice(SITE_KEY.length);
}
const SITE_KEY = "site:";
