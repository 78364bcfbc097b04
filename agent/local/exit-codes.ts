/** Documented in --help and stable: scripts and service managers rely on them. */
export const EXIT_CODES = {
  ok: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  notEnrolled: 4,
  alreadyRunning: 5,
  requirementMissing: 6,
  machineRemoved: 7,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  failed
  2  wrong usage
  3  no agent runs here
  4  not enrolled: no join token, or it was refused
  5  another agent runs here already
  6  something is missing: root, or a program
  7  the control plane removed this machine`;

/** Ends a command with a sentence for the person and a code for the program that called it. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
