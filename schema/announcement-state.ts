import { z } from "zod";
import { AnnouncementId } from "./desired-state.ts";
import { SpokenText } from "./spoken-text.ts";
import { Timestamp } from "./timestamp.ts";

export const CheckOutcome = z
  .object({
    at: Timestamp.describe("When it began."),
    durationMs: z
      .number()
      .nonnegative()
      .meta({ description: "How long it took.", examples: [12] }),
    isSuccess: z.boolean().meta({ description: "Whether it passed.", examples: [true] }),
    text: SpokenText.meta({ description: "What was found.", examples: ["HTTP 200"] }),
  })
  .meta({ id: "CheckOutcome", description: "One run of a health check." });
export type CheckOutcome = z.infer<typeof CheckOutcome>;

/** The newest results that are told. */
export const MAX_CHECK_OUTCOMES = 5;

/** A route or VIP that one machine has to announce, as that machine tells it. */
export const AnnouncementState = z.object({
  id: AnnouncementId.describe("The route or the VIP."),
  isAnnounced: z.boolean().meta({ description: "Whether the machine announces it now.", examples: [true] }),
  status: z.enum(["unchecked", "pending", "healthy", "unhealthy"]).meta({
    description: "Of its health check; `unchecked`: it has none, so it is announced; `pending`: not decided yet.",
    examples: ["healthy"],
  }),
  since: Timestamp.describe("Since when it is so."),
  reason: SpokenText.nullable().meta({
    description: "Why it is not announced; null when it is.",
    examples: ["failed 3 times in a row: connection refused"],
  }),
  results: z.array(CheckOutcome).max(MAX_CHECK_OUTCOMES).describe("Of its health check, the newest first."),
});
export type AnnouncementState = z.infer<typeof AnnouncementState>;
