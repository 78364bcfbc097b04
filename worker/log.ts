// One JSON object per line: a constant message, values as fields. Never keys, tokens, bodies or authorization headers.

export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogFields = Readonly<Record<string, unknown>>;
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

export const parseLogLevel = (text: string | undefined): LogLevel => LEVELS.find((level) => level === text) ?? "info";

export function createLogger(threshold: LogLevel, write: (line: string) => void = writeToConsole): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) <= LEVELS.indexOf(threshold)) write(JSON.stringify({ level, message, ...fields }));
  };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}

/**
 * The facts of an error for a log line; `cause` included, since libraries wrap the interesting one. Drizzle writes a failed query's
 * parameters behind "params:": those are left out, they may be names, keys or hashes of tokens.
 */
export function toErrorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const cause = error.cause === undefined ? {} : { cause: toErrorFields(error.cause) };
  return { error: withoutParameters(error.message), stack: withoutParameters(error.stack ?? ""), ...cause };
}

const withoutParameters = (text: string): string => text.replace(/\nparams:[\s\S]*?(?=\n {4}at |$)/g, "");

// biome-ignore lint/suspicious/noConsole: console is where workerd takes log lines from
const writeToConsole = (line: string): void => console.log(line);
