// Who goes on where more machines are to be asked than in one go. The machines' objects are played.
import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { createDatabase } from "../db/database.ts";
import { markAway } from "../db/rollouts.ts";
import { createLogger } from "../log.ts";
import type { UpgradeTurn } from "../machine-object/upgrades/upgrades.ts";
import { createMachineId } from "../testing/fake-agent.ts";
import { insertTestRollout } from "../testing/rollout-rows.ts";
import { advanceRollout } from "./advance-rollout.ts";

const db = createDatabase(env.DB);
const IDS = Array.from({ length: 4 }, createMachineId).sort();

afterEach(() => env.DB.exec("UPDATE rollouts SET is_open = 0"));

/** Four machines, three of which are asked in one go. */
async function advance(answers: Readonly<Record<number, UpgradeTurn | "fails">>) {
  const { rolloutId } = await insertTestRollout(db, 1, { machines: IDS.map((machineId) => ({ machineId })) });
  const asked: number[] = [];
  const askedOn: number[] = [];
  await advanceRollout(
    {
      ...{ db, now: () => 1, log: createLogger("error"), maxAsked: 3 },
      machineOf: (machineId) => ({
        async takeUpgradeTurn(place) {
          const index = IDS.indexOf(machineId);
          asked.push(index);
          const answer = answers[index] ?? "away";
          if (answer === "fails") throw new Error("the object is broken");
          if (answer === "away") await markAway(db, place);
          return answer;
        },
        async continueRollout() {
          askedOn.push(IDS.indexOf(machineId));
        },
      }),
    },
    rolloutId,
  );
  return { asked, askedOn };
}

test("the last that was asked", async () => {
  expect(await advance({})).toEqual({ asked: [0, 1, 2], askedOn: [2] });
});

test("the last that answered, where the object of a later one is broken", async () => {
  expect(await advance({ 2: "fails" })).toEqual({ asked: [0, 1, 2], askedOn: [1] });
});

test("nobody, where there is no room", async () => {
  expect(await advance({ 2: "full" })).toEqual({ asked: [0, 1, 2], askedOn: [] });
});

test("nobody, and that is a failure, where none could be asked", async () => {
  await expect(advance({ 0: "fails", 1: "fails", 2: "fails" })).rejects.toThrow("none of 3 machines could be asked");
});
