// Output of another program, or a file, that is not what it should be.

interface ParseFailure {
  /** Where the text came from: a command or a file. */
  readonly source: string;
  /** Line number, from 1. */
  readonly line: number;
  readonly text: string;
  readonly problem: string;
}

const TEXT_SHOWN_CHARS = 120;

export class ParseError extends Error {
  override readonly name = "ParseError";
  readonly source: string;
  readonly line: number;
  /** The start of the offending text. Parsers of secrets pass none. */
  readonly text: string;

  constructor(failure: ParseFailure, options?: ErrorOptions) {
    const text = failure.text.slice(0, TEXT_SHOWN_CHARS);
    super(
      `${failure.source}, line ${failure.line}: ${failure.problem}${text === "" ? "" : ` in ${JSON.stringify(text)}`}`,
      options,
    );
    this.source = failure.source;
    this.line = failure.line;
    this.text = text;
  }
}

export function isParseError(error: unknown): error is ParseError {
  return error instanceof ParseError;
}
