import { expect, test } from "vitest";
import { Epoch } from "./desired-state.ts";
import { Generation, renderGeneration, toRestoredAt } from "./generation.ts";
import { renderUlid } from "./ids.ts";

const AT = Date.UTC(2026, 10, 26);

test("a generation tells when it began, and two of one millisecond differ", () => {
  const one = renderGeneration(AT, Uint8Array.of(0, 35, 255));
  expect(Generation.parse(one)).toBe(one);
  expect(toRestoredAt(one)).toBe(AT);
  expect(renderGeneration(AT, Uint8Array.of(1, 35, 255))).not.toBe(one);
});

test("a mesh's epoch has room for it, as agents parse epochs", () => {
  const epoch = `${renderUlid(AT, new Uint8Array(16))}.${renderGeneration(AT, Uint8Array.of(1, 2, 3))}`;
  expect(Epoch.parse(epoch)).toBe(epoch);
});
