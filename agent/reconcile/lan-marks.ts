// The interfaces that are not ours on which we switched forwarding on: nothing about them says so, and they are to be as before when nobody
// needs it any more. Kept in the run folder, which a boot empties as it resets what is marked there.
import { z } from "zod";
import type { Family } from "../net/nft/lan-rules.ts";
import type { Files } from "../system/files.ts";

export interface LanMark {
  readonly name: string;
  readonly family: Family;
}

export interface LanMarks {
  /** None when what was kept is damaged. */
  read(): Promise<readonly LanMark[]>;
  write(marks: readonly LanMark[]): Promise<void>;
}

const LanMarksFile = z.array(z.object({ name: z.string(), family: z.enum(["ipv4", "ipv6"]) }));

export function createLanMarks(files: Files, runDir: string): LanMarks {
  const file = `${runDir}/forwarding.json`;
  return {
    async read() {
      const text = await files.read(file);
      const parsed = LanMarksFile.safeParse(parseJson(text ?? "[]"));
      return parsed.success ? parsed.data : [];
    },
    async write(marks) {
      if (marks.length === 0) return files.remove(file);
      await files.ensureFolder(runDir);
      await files.writeAtomic(file, `${JSON.stringify(marks)}\n`);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No list of marks.
    return null;
  }
}

export const isSameMark = (left: LanMark, right: LanMark): boolean =>
  left.name === right.name && left.family === right.family;
