/** Why there is no backup, or nothing was restored, in words for whoever asked; anything else that is thrown is a fault of ours. */
export class BackupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BackupError";
  }
}

/** Also what the system refuses: no space, no permission. */
export const isForPeople = (error: unknown): error is Error =>
  error instanceof BackupError || (error instanceof Error && "syscall" in error);
