import { renameSync, rmSync, writeFileSync } from "node:fs";

/** The file is its user's alone, and has all of the text or, when that fails or the machine stops, what it had. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.new`;
  // Of one that was killed.
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
