// Structured logs on stderr: one event per line, the message constant, the values as fields. JSON, or readable text when
// stderr is a terminal. Keys and tokens never go in; addresses of peers not above debug.

export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  trace(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every event. */
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug", "trace"];

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: "json" | "text";
  readonly now: () => number;
  /** Takes one line without its newline. */
  readonly write: (line: string) => void;
}

export function createLogger(options: LoggerOptions, context: LogFields = {}): Logger {
  const least = LOG_LEVELS.indexOf(options.level);
  const render = options.format === "json" ? renderJson : renderText;
  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) > least) return;
      options.write(render({ time: new Date(options.now()).toISOString(), level, message }, { ...context, ...fields }));
    };
  return {
    error: log("error"),
    warn: log("warn"),
    info: log("info"),
    debug: log("debug"),
    trace: log("trace"),
    child: (fields) => createLogger(options, { ...context, ...fields }),
  };
}

/** Logs to stderr: text when it is a terminal, JSON lines for a journal or a file. */
export function createStderrLogger(level: LogLevel): Logger {
  return createLogger({
    level,
    format: process.stderr.isTTY ? "text" : "json",
    now: () => Date.now(),
    write: (line) => process.stderr.write(`${line}\n`),
  });
}

export const silentLogger: Logger = createLogger({
  level: "error",
  format: "json",
  now: () => 0,
  write: () => undefined,
});

/** The same logger, for a command that tells its result itself: everything is said at level debug. */
export function toDebugLogger(log: Logger): Logger {
  const { debug, trace } = log;
  return { error: debug, warn: debug, info: debug, debug, trace, child: (fields) => toDebugLogger(log.child(fields)) };
}

interface Head {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
}

function renderJson(head: Head, fields: LogFields): string {
  return JSON.stringify({ ...head, ...toPlain(fields) });
}

function renderText({ time, level, message }: Head, fields: LogFields): string {
  const values = Object.entries(toPlain(fields))
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
    );
  return [time.slice(11, 23), level.toUpperCase().padEnd(5), message, ...values].join(" ");
}

/** JSON makes {} of an Error; its message and the messages of its causes are what a person needs. */
function toPlain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? renderError(value) : value]),
  );
}

function renderError(error: Error): string {
  const text = `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${text} (${renderError(error.cause)})` : text;
}
