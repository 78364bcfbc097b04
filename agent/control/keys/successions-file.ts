// What former and new identity key signed at each replacement, so that a control plane that knows a former one can be shown whose place the present one took.
// Nothing in it is secret, and nothing but that needs it: what can't be understood counts as none.
import { SuccessionsFile } from "#schema/local/agent-files";
import { type IdentitySuccession, MAX_SUCCESSIONS } from "#schema/wire/identity-key";
import type { Files } from "../../system/files.ts";
import { parseJson } from "../api-failure.ts";

export interface SuccessionsStore {
  /** Newest last. */
  read(): Promise<readonly IdentitySuccession[]>;
  /** Again it changes nothing. When there are many, the oldest goes. */
  keep(succession: IdentitySuccession): Promise<void>;
  forget(): Promise<void>;
}

export function createSuccessionsFile(files: Files, stateDir: string): SuccessionsStore {
  const file = `${stateDir}/identity.successions.json`;

  async function read(): Promise<readonly IdentitySuccession[]> {
    const text = await files.read(file);
    return text === null ? [] : (SuccessionsFile.safeParse(parseJson(text)).data?.successions ?? []);
  }

  return {
    read,
    async keep(succession) {
      const kept = await read();
      const { formerKey, identityKey } = succession;
      if (kept.some((one) => one.formerKey === formerKey && one.identityKey === identityKey)) return;
      const successions = [...kept, succession].slice(-MAX_SUCCESSIONS);
      await files.writeAtomic(file, JSON.stringify({ version: 1, successions } satisfies SuccessionsFile));
    },
    forget: () => files.remove(file),
  };
}
