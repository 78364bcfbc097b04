import { z } from "zod";
import { AnnouncementId } from "./desired-state.ts";
import { MachineId } from "./ids.ts";
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

/** What its check says of one of a machine's routes or VIPs, as the machine tells its mesh when that turns. */
export const CheckState = AnnouncementState.pick({ id: true, since: true }).extend({
  status: z.enum(["pending", "healthy", "unhealthy"]),
  /** What the check found last, when that was told; null: it found nothing yet. */
  text: SpokenText.nullable(),
});
export type CheckState = z.infer<typeof CheckState>;
/** In one message: an object takes 64 KB. */
export const MAX_CHECK_STATES = 64;

export const ANNOUNCER_STATES = ["healthy", "unchecked", "pending", "failing", "unknown", "offline"] as const;

/** One of the machines that have to announce a route or a VIP, as the mesh knows of it. */
export const AnnouncerHealth = z
  .object({
    machineId: MachineId,
    state: z.enum(ANNOUNCER_STATES).meta({
      description:
        "`healthy`: its check passes, so it announces; `unchecked`: there is no check, so it announces; `pending`: not decided yet; `failing`: " +
        "its check fails, so it does not announce; `unknown`: its agent is not connected right now, or has not told; `offline`: not heard for a minute.",
      examples: ["healthy"],
    }),
    since: Timestamp.nullable().describe("Since when its check says so; null where no check does."),
    text: SpokenText.nullable().meta({
      description:
        "What its check found: when it turned, or at most a minute ago when that changed since. Null where no check says so.",
      examples: ["connect ECONNREFUSED 10.1.0.7:5432"],
    }),
  })
  .meta({ id: "AnnouncerHealth", description: "A machine that has to announce, and whether it does." });
export type AnnouncerHealth = z.infer<typeof AnnouncerHealth>;

/** What is known of a route or VIP beside what it shall be. */
export const announcementHealth = {
  heldBy: MachineId.nullable().describe(
    "The machine that traffic goes to: of those that announce, the one that BGP prefers for members without policies of their own. Null: none that is known of.",
  ),
  announcers: z
    .array(AnnouncerHealth)
    .describe("Each of its machines, in the order of `machineIds`; none while it is disabled."),
};
