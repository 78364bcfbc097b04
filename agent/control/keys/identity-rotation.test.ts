import { expect, it } from "vitest";
import type { MachineId } from "#schema/ids";
import { ok } from "#schema/result";
import { generateEd25519Pem, parseEd25519Pem } from "../../system/ed25519.ts";
import { silentLogger } from "../../system/logger.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { createIdentityStore } from "../identity.ts";
import { createIdentityRotation, type SigningKeys } from "./identity-rotation.ts";

it("replaces a key that became due while it was still being taken", async () => {
  const key = parseEd25519Pem(generateEd25519Pem());
  const signingKeys: SigningKeys = { list: [key] };
  const made: string[] = [];
  const rotation = createIdentityRotation({
    ...{ machineId: "mch_one" as MachineId, key, nextKey: null, signingKeys, clock: createFakeClock() },
    ...{ random: () => 0, log: silentLogger, onFailureChanged: () => undefined },
    store: createIdentityStore(createMemoryFiles(), "/state"),
    api: {
      async post() {
        const next = signingKeys.list[1];
        if (next !== undefined) made.push(next.publicKey);
        // Already it is asked for another one: the answer and the state come by different ways.
        if (made.length === 1 && next !== undefined) rotation.setDue(next.publicKey);
        return ok({});
      },
    },
  });
  rotation.setDue(key.publicKey);
  await rotation.whenIdle();
  expect(made).toHaveLength(2);
  expect(signingKeys.list[0]?.publicKey).toBe(made[1]);
  rotation.stop();
});
