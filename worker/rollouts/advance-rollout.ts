// Gives machines their turns. Called whenever something happened to a roll-out, by whoever knows of it: the API, and Machine objects.
import type { MachineId, RolloutId } from "#schema/ids";
import { type Database, runBatch } from "../db/database.ts";
import { endIfDone, findNextTurn, findRollout } from "../db/rollouts.ts";
import type { MachineObjectRpc } from "../machine-object/rpc.ts";

export interface AdvanceParts {
  readonly db: Database;
  readonly now: () => number;
  readonly machineOf: (machineId: MachineId) => Pick<MachineObjectRpc, "takeUpgradeTurn">;
}

/** Machines that are asked in one go: each is a call, of which the platform allows a request a thousand. */
const MAX_ASKED = 300;

/** Safe to repeat, and to run at the same time. @returns false when there are more to be asked. */
export async function advanceRollout({ db, now, machineOf }: AdvanceParts, rolloutId: RolloutId): Promise<boolean> {
  const rollout = await findRollout(db, rolloutId);
  if (rollout === null || !rollout.isOpen) return true;
  const { buildSha256: sha256 } = rollout;
  for (let asked = 0; asked < MAX_ASKED; asked++) {
    const machineId = await findNextTurn(db, rolloutId);
    if (machineId === null) {
      await runBatch(db, [endIfDone(db, rolloutId, now())]);
      return true;
    }
    if ((await machineOf(machineId).takeUpgradeTurn({ rolloutId, machineId, sha256 })) === "full") return true;
  }
  return false;
}
