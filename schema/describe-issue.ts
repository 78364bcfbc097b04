// What is wrong with a value, for the person who gave it. Pure.
import type { z } from "zod";

/** zod's own words for a value of another type, or none, are "Invalid input" alone. */
export function describeIssue({ code, message, ...rest }: z.core.$ZodIssue): string {
  if (code !== "invalid_type" || message !== "Invalid input") return message;
  const { expected } = rest as z.core.$ZodIssueInvalidType;
  return `is missing, or is not of the type ${expected}`;
}
