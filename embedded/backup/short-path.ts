import { openSync } from "node:fs";
import path from "node:path";

/** sun_path of unix(7), with its end. */
const MAX_SOCKET_PATH = 107;

/** The same socket by a path that is short enough for the kernel. The folder stays open: the path leads through it. */
export function toShortPath(socketFile: string): string {
  if (Buffer.byteLength(socketFile) <= MAX_SOCKET_PATH) return socketFile;
  return `/proc/self/fd/${openSync(path.dirname(socketFile), "r")}/${path.basename(socketFile)}`;
}
