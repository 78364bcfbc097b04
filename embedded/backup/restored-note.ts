// data/restored.json: says of a state that it was restored, when, and as which generation. It lies beside the data, so that it comes and goes with it.
import { readFileSync } from "node:fs";
import path from "node:path";
import { RestoredNote } from "#schema/local/backup";
import { replaceFile } from "../replace-file.ts";
import { StartError } from "../start-error.ts";

const NOTE = "restored.json";

/** Null: this state was never restored. A note that can't be read is no such thing: the state's numbers could fool machines then. */
export function readRestoredNote(dataFolder: string): RestoredNote | null {
  const file = path.join(dataFolder, NOTE);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new StartError("restore_unfinished", `${file} can't be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return RestoredNote.parse(JSON.parse(text));
  } catch (error) {
    throw new StartError("restore_unfinished", `${file} is damaged; restore the backup again`, { cause: error });
  }
}

export function writeRestoredNote(dataFolder: string, note: RestoredNote): void {
  replaceFile(path.join(dataFolder, NOTE), JSON.stringify(note, null, 2));
}
