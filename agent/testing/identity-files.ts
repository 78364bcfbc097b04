// A whole agent's identity key: on its disk, and at its control plane.
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { parseEd25519Pem } from "../system/ed25519.ts";
import type { TestWorld } from "./test-machine.ts";

export const KEY = "/state/identity.key";
export const NEXT = "/state/identity.key.next";

/** @param world the one of the test that runs */
export function watchIdentity(world: () => TestWorld) {
  /** The public half; null: there is no such file. */
  const keyIn = (file: string): string | null => {
    const pem = world().machine.files.content.get(file);
    return pem === undefined ? null : parseEd25519Pem(pem).publicKey;
  };
  return {
    keyIn,
    /** What the control plane takes, the newest first. */
    known: () => world().plane.identities.keysOf(world().plane.machineId),
    order: () => world().plane.machine.setDueIdentityKey(keyIn(KEY)),
    asked: () => world().plane.requests.filter((request) => request.startsWith(`POST ${AGENT_PATHS.identityKey}`)),
  };
}
