// Admitting a machine costs the same however many have its name already: rows read, counted by D1.
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createJoinToken } from "#schema/api/join-tokens";
import { createCountingD1 } from "../testing/count-rows.ts";
import { createTestApp } from "../testing/create-test-app.ts";
import { createIdentity, postEnrolment, toEnrolmentRequest } from "../testing/enrolled-machine.ts";
import { createDatabase } from "./database.ts";

test("the 1,000th machine of one name reads as many rows as the 20th", async () => {
  const { database, measure } = createCountingD1();
  const app = createTestApp({ db: createDatabase(database) });
  const { token } = (await app.call(createJoinToken, { body: { meshIds: [] } })).reply;
  const enrol = async () => {
    const request = await toEnrolmentRequest(await createIdentity(), { token, hostname: "crowd" });
    return measure(async () => expect((await postEnrolment(app, request)).status).toBe(201));
  };
  await insertMachines(1, 20);
  const early = await enrol();
  await insertMachines(21, 1_000);
  const late = await enrol();
  expect([early, late].every((rows) => rows < 25)).toBe(true);
});

/** Named crowd, crowd-2, crowd-3 … */
const insertMachines = (first: number, last: number) =>
  env.DB.prepare(
    `WITH RECURSIVE numbers (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    INSERT INTO machines (id, name, identity_key, created_at)
    SELECT 'crowd' || n, CASE n WHEN 1 THEN 'crowd' ELSE 'crowd-' || n END, 'crowd' || n, 0 FROM numbers`,
  )
    .bind(first, last)
    .run();
