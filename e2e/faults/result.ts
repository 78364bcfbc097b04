// What a run of faults writes and prints.
import { z } from "zod";

export const PairLoss = z.object({
  /** Who pings whom. */
  pair: z.array(z.string()),
  /** The machine, or the network behind it. */
  to: z.string(),
  sent: z.number().int(),
  lost: z.number().int(),
  longestGapMs: z.number(),
  /** When the last answer before each gap came, milliseconds since the epoch. */
  gapsAfterMs: z.array(z.number()),
});
export type PairLoss = z.infer<typeof PairLoss>;

export const Round = z.object({
  /** One fault, or several at once: `natReboot+diskFull`. */
  name: z.string(),
  /** Pings of all pairs, from before the fault until all was well again. */
  lostPackets: z.number().int(),
  /** Of these, between pairs that must lose none. */
  lostUnexpectedly: z.number().int(),
  longestGapMs: z.number(),
  /** From the end of the fault until all was well; null: it was not within the time. */
  convergeMs: z.number().nullable(),
  /** The same of each part of it. */
  parts: z.record(z.string(), z.number().nullable()),
  /** What each part lacked last before it was well, in words. */
  waitedFor: z.record(z.string(), z.string()),
  /** Changes by the API while it lasted. */
  acknowledged: z.number().int(),
  /** Of these, members that came or went. */
  acknowledgedOfMembers: z.number().int(),
  /** Those that failed, in words: as they may, when it is the control plane that is broken. */
  failed: z.array(z.string()),
  /** What was not as it should be, in words. */
  problems: z.array(z.string()),
  losses: z.array(PairLoss),
});
export type Round = z.infer<typeof Round>;

export const FaultsResult = z.object({
  /** What the run's choices came from: `--seed` makes them again. */
  seed: z.number().int(),
  /** How long each fault lasted. */
  seconds: z.number(),
  acknowledged: z.number().int(),
  /** What the control plane acknowledged and does not know at the end, after a SIGKILL. */
  acknowledgedLost: z.number().int(),
  addressesGivenTwice: z.number().int(),
  lostUnexpectedly: z.number().int(),
  /** Null: something was never well again. */
  maxConvergeMs: z.number().nullable(),
  problems: z.array(z.string()),
  faults: z.array(Round),
});
export type FaultsResult = z.infer<typeof FaultsResult>;
