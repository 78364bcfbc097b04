import { z } from "zod";

const MAX_SPOKEN_CHARS = 1_000;

/** A machine's own words, shown to people: cut, and without control characters and those that turn the direction of text. */
export const SpokenText = z
  .string()
  .overwrite((text) => text.slice(0, MAX_SPOKEN_CHARS).replace(/[\p{Cc}\p{Cf}]/gu, "\uFFFD"));
