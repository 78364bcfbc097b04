// Tags as typed in a line, with blanks or commas between. Pure.
import { Tag, Tags } from "#schema/tag";

export type ParsedTags =
  | { readonly ok: true; readonly tags: string[] }
  | { readonly ok: false; readonly error: string };

export function parseTagDraft(text: string): ParsedTags {
  const written = text.split(/[\s,]+/).filter(Boolean);
  for (const tag of written) {
    const problem = Tag.safeParse(tag).error?.issues[0]?.message;
    if (problem !== undefined) return { ok: false, error: `${tag} ${problem}` };
  }
  const parsed = Tags.safeParse(written);
  return parsed.success
    ? { ok: true, tags: parsed.data }
    : { ok: false, error: parsed.error.issues[0]?.message ?? "are too many" };
}
