import { z } from "zod";

const MAX_SPOKEN_CHARS = 1_000;

/** Text of others as it may be shown: without control characters, and those that turn the direction of text. */
export const toHarmless = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, "\uFFFD");

/** A machine's own words, shown to people. */
export const SpokenText = z.string().overwrite((text) => toHarmless(text.slice(0, MAX_SPOKEN_CHARS)));
