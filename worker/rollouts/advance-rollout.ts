// Gives machines their turns. Called whenever something happened to a roll-out, by whoever knows of it: the API, and Machine objects.
import type { MachineId, RolloutId } from "#schema/ids";
import { type Database, runBatch } from "../db/database.ts";
import { endIfDone, findNextTurn, findRollout, markAway, type RolloutRecord } from "../db/rollouts.ts";
import { type Logger, toErrorFields } from "../log.ts";
import type { MachineObjectRpc } from "../machine-object/rpc.ts";

export interface AdvanceParts {
  readonly db: Database;
  readonly now: () => number;
  readonly log: Logger;
  readonly machineOf: (machineId: MachineId) => Pick<MachineObjectRpc, "takeUpgradeTurn" | "continueRollout">;
  readonly maxAsked?: number;
}

/** Machines that are asked in one go: each is a call or three, of which the platform allows a request a thousand. */
const MAX_ASKED = 300;
const COULD_NOT_BE_ASKED =
  "The control plane could not ask it when its turn came. It is asked again when it connects anew, or when the roll-out is resumed.";

/** Safe to repeat, and to run at the same time. Where there are more to be asked than in one go, the object of one that was asked goes on. */
export async function advanceRollout(parts: AdvanceParts, rolloutId: RolloutId): Promise<void> {
  const { db, now, machineOf, maxAsked = MAX_ASKED } = parts;
  const rollout = await findRollout(db, rolloutId);
  if (rollout === null || !rollout.isOpen) return;
  let lastAnswered: MachineId | null = null;
  for (let asked = 0; asked < maxAsked; asked++) {
    const machineId = await findNextTurn(db, rolloutId);
    if (machineId === null) return runBatch(db, [endIfDone(db, rolloutId, now())]);
    const answer = await ask(parts, rollout, machineId);
    if (answer === "full") return;
    if (answer !== "failed") lastAnswered = machineId;
  }
  if (lastAnswered === null) throw new Error(`none of ${maxAsked} machines could be asked`);
  await machineOf(lastAnswered).continueRollout(rolloutId);
}

/** One object that fails holds up nobody else. */
async function ask({ db, log, machineOf }: AdvanceParts, rollout: RolloutRecord, machineId: MachineId) {
  const { id: rolloutId, buildSha256: sha256 } = rollout;
  try {
    return await machineOf(machineId).takeUpgradeTurn({ rolloutId, machineId, sha256 });
  } catch (error) {
    log.warn("a machine could not be asked to take its turn", { rolloutId, machineId, ...toErrorFields(error) });
    await markAway(db, { rolloutId, machineId }, COULD_NOT_BE_ASKED);
    return "failed";
  }
}
