import type { LinkEvent } from "#schema/api/machine-links";
import type { Tone } from "../../../components/badge.tsx";
import { PATH_WORDS } from "../peers/peer-words.ts";

export function toEventWords({ kind, path, endpoint }: Pick<LinkEvent, "kind" | "path" | "endpoint">): {
  readonly tone: Tone;
  readonly title: string;
} {
  const way = endpoint === null ? PATH_WORDS[path].label : `${PATH_WORDS[path].label}, at ${endpoint}`;
  switch (kind) {
    case "up":
      return { tone: "good", title: `came up: ${way}` };
    case "down":
      return { tone: "bad", title: "went down" };
    case "path_changed":
      return { tone: path === "direct" ? "good" : "info", title: `goes another way: ${way}` };
  }
}
