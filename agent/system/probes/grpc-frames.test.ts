import { expect, it } from "vitest";
import { parseHealthReply } from "./grpc-frames.ts";

it.each([
  ["SERVING", [0, 0, 0, 0, 2, 8, 1], 1],
  ["NOT_SERVING", [0, 0, 0, 0, 2, 8, 2], 2],
  ["UNKNOWN, which is not written out", [0, 0, 0, 0, 0], 0],
  ["SERVING and a field that we don't know", [0, 0, 0, 0, 4, 8, 1, 0x10, 5], 1],
  ["nothing", [], null],
  ["half a frame", [0, 0, 0, 0, 2, 8], null],
  ["a compressed frame", [1, 0, 0, 0, 2, 8, 1], null],
  ["another field", [0, 0, 0, 0, 2, 0x10, 1], null],
  ["a larger number", [0, 0, 0, 0, 3, 8, 0x81, 1], null],
])("reads %s", (_, bytes, status) => {
  // As a part of a larger buffer, as Node's pool gives them.
  const pooled = Buffer.from([9, 9, 9, ...bytes]).subarray(3);
  expect(parseHealthReply(pooled)).toBe(status);
});
