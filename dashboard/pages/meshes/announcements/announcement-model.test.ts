import { describe, expect, it } from "vitest";
import { describeCheck, parseCheckDraft, splitPrefixes, toCheckDraft } from "./announcement-model.ts";

const NONE = toCheckDraft(null);

describe("a health check's form", () => {
  it("is no check while none is chosen", () => expect(parseCheckDraft(NONE)).toEqual({ ok: true, check: null }));

  it("comes back as it was", () => {
    const parsed = parseCheckDraft({ ...NONE, type: "exec", target: "/usr/bin/pg_isready -q", intervalSeconds: "9" });
    if (!parsed.ok || parsed.check === null) throw new Error("refused");
    expect(parsed.check).toMatchObject({ type: "exec", target: ["/usr/bin/pg_isready", "-q"], intervalSeconds: 9 });
    expect(parseCheckDraft(toCheckDraft(parsed.check))).toEqual(parsed);
  });

  it("names the fields at fault, those that were emptied too", () => {
    const parsed = parseCheckDraft({ ...NONE, type: "tcp", target: "5432", timeoutSeconds: "" });
    expect(parsed.ok ? [] : Object.keys(parsed.errors).sort()).toEqual(["target", "timeoutSeconds"]);
  });

  it("refuses a timeout over the interval", () => {
    const parsed = parseCheckDraft({ ...NONE, type: "tcp", target: ":1", timeoutSeconds: "6" });
    expect(parsed.ok ? null : parsed.errors.timeoutSeconds).toContain("intervalSeconds");
  });

  it("is said in a line", () => {
    const parsed = parseCheckDraft({ ...NONE, type: "tcp", target: ":5432" });
    expect(describeCheck(parsed.ok ? parsed.check : null)).toBe("TCP :5432, every 5 s");
    expect(describeCheck(null)).toBeNull();
  });
});

it("takes prefixes with anything sensible between them", () =>
  expect(splitPrefixes(" 10.0.0.0/8,\n192.168.7.0/24 fd00::/8 ")).toEqual([
    "10.0.0.0/8",
    "192.168.7.0/24",
    "fd00::/8",
  ]));
