import { describe, expect, it } from "vitest";
import { createLogger, type LoggerOptions, toDebugLogger } from "./logger.ts";

function logTo(options: Partial<LoggerOptions>) {
  const lines: string[] = [];
  const now = () => Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  const log = createLogger({ level: "info", format: "json", now, write: (line) => lines.push(line), ...options });
  return { log, lines };
}

describe("the logger", () => {
  it("writes one JSON object for each event, with its fields and those of its context", () => {
    const { log, lines } = logTo({});

    log.child({ mesh: "prod" }).info("interface created", { interface: "bkt-prod", port: 51_820 });

    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        time: "2026-01-02T03:04:05.006Z",
        level: "info",
        message: "interface created",
        mesh: "prod",
        interface: "bkt-prod",
        port: 51_820,
      },
    ]);
  });

  it("writes text for a person, quoting what needs it, on one line", () => {
    const { log, lines } = logTo({ format: "text" });

    log.warn("step failed", { step: "peers.change", problem: 'two\nlines "quoted"', gone: undefined });

    expect(lines).toEqual(['03:04:05.006 WARN  step failed step=peers.change problem="two\\nlines \\"quoted\\""']);
  });

  it("leaves out what is below its level", () => {
    const { log, lines } = logTo({ level: "warn" });

    log.info("quiet");
    log.debug("quieter");
    log.error("loud");

    expect(lines).toHaveLength(1);
  });

  it("keeps to itself what a command tells in its own words, unless it is asked to debug", () => {
    const [quiet, verbose] = [logTo({}), logTo({ level: "debug" })];

    for (const { log } of [quiet, verbose]) toDebugLogger(log).child({ mesh: "prod" }).error("step failed");

    expect([quiet.lines.length, JSON.parse(verbose.lines[0] ?? "{}")]).toMatchObject([
      0,
      { level: "debug", message: "step failed", mesh: "prod" },
    ]);
  });

  it("says what an error was and what caused it", () => {
    const { log, lines } = logTo({});

    log.error("broken", { error: new Error("outer", { cause: new TypeError("inner") }) });

    expect(JSON.parse(lines[0] ?? "").error).toBe("Error: outer (TypeError: inner)");
  });
});
