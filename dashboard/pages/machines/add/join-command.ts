// What somebody runs on a machine so that it joins.
import { parseTagDraft } from "../tags/tag-draft-model.ts";

/** Installs the agent where there is none. The token is a line before the script: sudo logs the variables that it is given, and shows its arguments. */
export const renderJoinCommand = (origin: string, token: string, { allowsUpgrades = false } = {}): string =>
  `(echo BECKET_TOKEN=${token} && curl -fsSL ${origin}/install.sh) | sudo ${allowsUpgrades ? "BECKET_ALLOW_UPGRADES=yes " : ""}sh`;

export const LIFETIMES = [
  { seconds: 600, label: "10 minutes" },
  { seconds: 3_600, label: "1 hour" },
  { seconds: 86_400, label: "1 day" },
  { seconds: 7 * 86_400, label: "7 days" },
  { seconds: 30 * 86_400, label: "30 days" },
  { seconds: 90 * 86_400, label: "90 days" },
  { seconds: 365 * 86_400, label: "365 days" },
] as const;

export interface JoinDraft {
  readonly expiresInSeconds: number;
  /** Empty: any number. */
  readonly maxUses: string;
  /** `default`: whichever is the default mesh then; `none`; or a mesh's id. */
  readonly mesh: string;
  /** As typed. */
  readonly tags: string;
}

export const NEW_JOIN_DRAFT: JoinDraft = { expiresInSeconds: 600, maxUses: "1", mesh: "default", tags: "" };

export function judgeMaxUses(text: string): string | null {
  if (text.trim() === "") return null;
  const count = Number(text);
  return Number.isInteger(count) && count >= 1 && count <= 100_000 ? null : "must be a number from 1 to 100,000";
}

export function toJoinTokenBody({ expiresInSeconds, maxUses, mesh, tags }: JoinDraft) {
  const parsed = parseTagDraft(tags);
  return {
    expiresInSeconds,
    maxUses: maxUses.trim() === "" ? null : Number(maxUses),
    ...(mesh === "default" ? {} : { meshIds: mesh === "none" ? [] : [mesh] }),
    ...(parsed.ok && parsed.tags.length > 0 ? { tags: parsed.tags } : {}),
  };
}
