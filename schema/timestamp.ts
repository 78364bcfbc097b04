import { z } from "zod";

/** A moment as text of RFC 3339, in UTC. */
export const Timestamp = z.iso
  .datetime()
  .max(32)
  .meta({ description: "A moment, in UTC.", examples: ["2026-11-23T09:30:00.000Z"] });
