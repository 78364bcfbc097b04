// Which program this is. Read piece by piece: the whole of it would stay in the process's memory.
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

const PIECE_BYTES = 65_536;

/** @returns the SHA-256 of a file, in hexadecimal; null when it can't be read */
export function readSha256(file: string): string | null {
  try {
    const descriptor = openSync(file, "r");
    try {
      const hash = createHash("sha256");
      const piece = Buffer.alloc(PIECE_BYTES);
      for (let length = readSync(descriptor, piece); length > 0; length = readSync(descriptor, piece)) {
        hash.update(piece.subarray(0, length));
      }
      return hash.digest("hex");
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // It was started from there, and is gone or closed to us: what it was is not known.
    return null;
  }
}
