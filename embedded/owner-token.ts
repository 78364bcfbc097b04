import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { MIN_OWNER_TOKEN_LENGTH } from "#schema/limits";
import { replaceFile } from "./replace-file.ts";
import { StartError } from "./start-error.ts";

export interface OwnerToken {
  readonly token: string;
  /** True when it was made just now: the only time that it is shown. */
  readonly isNew: boolean;
}

/** The given token, else the one of the file, else a new one that is kept in the file (0600). */
export function readOwnerToken(file: string, given: string | undefined): OwnerToken {
  const kept = given ?? readKept(file);
  if (kept !== null) {
    if (kept.length >= MIN_OWNER_TOKEN_LENGTH) return { token: kept, isNew: false };
    const where = given === undefined ? file : "BECKET_OWNER_TOKEN";
    throw new StartError(
      "owner_token_too_short",
      `the owner token in ${where} needs at least ${MIN_OWNER_TOKEN_LENGTH} characters`,
    );
  }
  const token = `bkt_${randomBytes(32).toString("base64url")}`;
  replaceFile(file, `${token}\n`);
  return { token, isNew: true };
}

function readKept(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new StartError("state_not_writable", `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
