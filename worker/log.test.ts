import { expect, it } from "vitest";
import { createLogger, toErrorFields } from "./log.ts";

it("writes one JSON object per line, from the threshold up", () => {
  const lines: string[] = [];
  const log = createLogger("warn", (line) => lines.push(line));
  log.info("unheard");
  log.error("broken", { requestId: "req_1", note: "two\nlines" });
  expect(lines).toEqual(['{"level":"error","message":"broken","requestId":"req_1","note":"two\\nlines"}']);
});

it("leaves the parameters of a failed query out", () => {
  const error = new Error("Failed query: select 1\nparams: secret-one,secret\ntwo", {
    cause: new Error("D1_ERROR: gone"),
  });
  const text = JSON.stringify(toErrorFields(error));
  expect(text).not.toContain("secret");
  expect(text).toContain("select 1");
  expect(text).toContain("D1_ERROR: gone");
  expect(text).toContain("    at ");
});
