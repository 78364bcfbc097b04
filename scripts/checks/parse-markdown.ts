// As much of Markdown as a link checker needs. Pure.

/** The targets of inline links, images and reference definitions, code left out. */
export function parseLinks(markdown: string): string[] {
  const text = dropCode(markdown);
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const references = [...text.matchAll(/^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)/gm)];
  return [...inline, ...references].flatMap((match) => match[1] ?? []);
}

/** The anchors of a file's headings, as GitHub makes them. */
export function parseHeadings(markdown: string): string[] {
  const seen = new Map<string, number>();
  const headings = dropFences(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*\s*$/gm);
  return [...headings].map((match) => {
    const text = (match[1] ?? "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function dropCode(markdown: string): string {
  return dropFences(markdown).replace(/`[^`\n]*`/g, "");
}

function dropFences(markdown: string): string {
  return markdown.replace(/^ {0,3}(`{3,}|~{3,})[\s\S]*?^ {0,3}\1[`~]*\s*$/gm, "");
}
