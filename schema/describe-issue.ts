// What is wrong with a value, for the person who gave it. Pure.
import type { z } from "zod";

/** zod says of a value of another type, or of none: "Invalid input: expected array, received undefined". */
const WRONG_TYPE = /^Invalid input: expected (\w+), received (\w+)$/;

export function describeIssue({ message }: Pick<z.core.$ZodIssue, "message">): string {
  const [, expected, received] = WRONG_TYPE.exec(message) ?? [];
  if (expected === undefined) return message;
  return received === "undefined" ? "is missing" : `is of the type ${received}, and not ${expected}`;
}
