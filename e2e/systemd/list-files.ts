// Every file of a tree with what is in it, as text to compare.
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";

/** What lives by itself: logs, package lists, the package manager's memory, and what a boot makes. */
const RESTLESS =
  /^(?:proc|sys|dev|run|tmp|var\/(?:log|cache|tmp|backups)|var\/lib\/(?:apt|dpkg|systemd|dbus|private|ucf)|etc\/(?:ld\.so\.cache|\.updated|passwd-|group-|shadow-|gshadow-))(?:\/|$)/;

/** @returns lines of mode, owner, path and content */
export function listTree(folder: string): string[] {
  const lines: string[] = [];
  const walk = (relative: string) => {
    for (const name of readdirSync(path.join(folder, relative)).sort()) {
      const file = path.join(relative, name);
      if (RESTLESS.test(file)) continue;
      const stat = lstatSync(path.join(folder, file));
      lines.push(
        `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} /${file} ${describe(stat, path.join(folder, file))}`,
      );
      if (stat.isDirectory()) walk(file);
    }
  };
  walk("");
  return lines;
}

function describe(stat: ReturnType<typeof lstatSync> & object, file: string): string {
  if (stat.isSymbolicLink()) return `→ ${readlinkSync(file)}`;
  if (stat.isFile()) return createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);
  return stat.isDirectory() ? "folder" : "special";
}
