// Who this machine is. The key has a file of its own, written before it is used and replaced only by one that the control plane knows, so that
// nothing that happens to the other files can lose it.
import { EnrolmentFile } from "#schema/local/agent-files";
import { err, ok, type Result } from "#schema/result";
import type { IdentitySuccession } from "#schema/wire/identity-key";
import { type Ed25519Key, generateEd25519Pem, parseEd25519Pem } from "../system/ed25519.ts";
import type { Files } from "../system/files.ts";
import { parseJson } from "./api-failure.ts";
import { createSuccessionsFile } from "./keys/successions-file.ts";

/** The disk cache writes it, because it tries again when the disk fails. */
export const toEnrolmentFile = (stateDir: string): string => `${stateDir}/identity.json`;

export interface IdentityStore {
  /**
   * The machine's key; made and kept at the first call. Refused when the file holds none, which is not overwritten, and when there is none
   * though this machine was enrolled: the control plane would not know it by another key.
   */
  ensureKey(): Promise<Result<Ed25519Key, IdentityError>>;
  /** Null: not enrolled, or the file is damaged (`isDamaged`): then the same key and a join token bring the same machine back. */
  readEnrolment(): Promise<{ readonly enrolment: EnrolmentFile | null; readonly isDamaged: boolean }>;
  /** The key that is to take this one's place, if that was begun. What is no key, or the same one, counts as none. */
  readNext(key: Ed25519Key): Promise<Ed25519Key | null>;
  /** Makes and keeps it. */
  makeNext(): Promise<Ed25519Key>;
  /** The next one takes the key's place, once it is kept how it came to that. Interrupted, both keys are there, and whole. */
  adoptNext(succession: IdentitySuccession): Promise<void>;
  dropNext(): Promise<void>;
  /** How the key came to be this one: the last replacements, newest last. What is damaged counts as none. */
  readSuccessions(): Promise<readonly IdentitySuccession[]>;
  /** Forgets who this machine was, key included. */
  forget(): Promise<void>;
}

export interface IdentityError {
  readonly code: "identity_key_damaged" | "identity_key_missing";
  readonly message: string;
}

/** Never the key alone: with it gone and the rest still there, this machine is nobody. */
const REMEDY =
  "Restore it from a backup, or remove the enrolment with `becket down --forget` and join anew with a new join token.";

export function createIdentityStore(files: Files, stateDir: string): IdentityStore {
  const keyFile = `${stateDir}/identity.key`;
  const nextFile = `${stateDir}/identity.key.next`;
  const successions = createSuccessionsFile(files, stateDir);
  /** What `adoptNext` writes, also where the file is gone. */
  let nextPem: string | null = null;
  const enrolmentFile = toEnrolmentFile(stateDir);
  return {
    async ensureKey() {
      const existing = await files.read(keyFile);
      if (existing === null && (await files.read(enrolmentFile)) !== null) {
        const message = `${keyFile} is missing, though this machine is enrolled (${enrolmentFile} is there). ${REMEDY}`;
        return err({ code: "identity_key_missing", message });
      }
      if (existing === null) {
        const pem = generateEd25519Pem();
        await files.ensureFolder(stateDir);
        await files.writeAtomic(keyFile, pem);
        return ok(parseEd25519Pem(pem));
      }
      try {
        return ok(parseEd25519Pem(existing));
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        const message = `${keyFile} holds no Ed25519 key (${cause}). ${REMEDY}`;
        return err({ code: "identity_key_damaged", message });
      }
    },
    async readEnrolment() {
      const text = await files.read(enrolmentFile);
      if (text === null) return { enrolment: null, isDamaged: false };
      const parsed = EnrolmentFile.safeParse(parseJson(text));
      return parsed.success ? { enrolment: parsed.data, isDamaged: false } : { enrolment: null, isDamaged: true };
    },
    async readNext(key) {
      const pem = await files.read(nextFile);
      const next = pem === null ? null : tryParse(pem);
      if (pem === null || next === null || next.publicKey === key.publicKey) return null;
      nextPem = pem;
      return next;
    },
    async makeNext() {
      const pem = generateEd25519Pem();
      await files.writeAtomic(nextFile, pem);
      nextPem = pem;
      return parseEd25519Pem(pem);
    },
    async adoptNext(succession) {
      if (nextPem === null) throw new Error("there is no next identity key");
      await successions.keep(succession);
      await files.writeAtomic(keyFile, nextPem);
      await files.remove(nextFile);
      nextPem = null;
    },
    async dropNext() {
      await files.remove(nextFile);
      nextPem = null;
    },
    readSuccessions: successions.read,
    async forget() {
      await files.remove(enrolmentFile);
      await files.remove(nextFile);
      await successions.forget();
      await files.remove(keyFile);
    },
  };
}

function tryParse(pem: string): Ed25519Key | null {
  try {
    return parseEd25519Pem(pem);
  } catch {
    // A replacement that was only begun is begun anew.
    return null;
  }
}
