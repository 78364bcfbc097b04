// Somebody who fails on purpose, at each of the doors, from the address that others come from as well.
import { expect, test } from "vitest";
import { createApiToken } from "#schema/api/api-tokens";
import { createMesh, listMeshes } from "#schema/api/meshes";
import { getMe, signInByLink } from "#schema/api/sign-in";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { createTestApp, parseProblem, uniqueName } from "../testing/create-test-app.ts";
import { enrolMachine, fetchAs } from "../testing/enrolled-machine.ts";
import { createTestBrowser, signIn } from "../testing/test-browser.ts";
import { createFailureLimit, SIGN_IN_FAILURES } from "./failure-limit.ts";

const headers = { "cf-connecting-ip": "192.0.2.7" };
const elsewhere = { "cf-connecting-ip": "198.51.100.7" };

/** Time stands still, so that what is refused is refused however slow the machine is. */
const createLimitedApp = () =>
  createTestApp({
    failureLimit: createFailureLimit("cf-connecting-ip", () => 0, { burst: 20, perSecond: 10 }),
    signInLimit: createFailureLimit("cf-connecting-ip", () => 0, { ...SIGN_IN_FAILURES, burst: 3 }),
  });
type App = ReturnType<typeof createLimitedApp>;

const doors: [string, (app: App) => Promise<Response>][] = [
  ["the API", (app) => app.fetch("/api/v1/meshes", { headers: { ...headers, authorization: "Bearer bkt_guess" } })],
  [
    "the API, by cookie",
    (app) => app.fetch("/api/v1/me", { headers: { ...headers, cookie: "__Host-becket_session=guess" } }),
  ],
  ["metrics", (app) => app.fetch("/metrics", { headers: { ...headers, authorization: "Bearer bkt_guess" } })],
  ["machines", (app) => app.fetch(AGENT_PATHS.machineSync, { headers: { ...headers, authorization: "Bearer a.b.c" } })],
  [
    "enrolment",
    (app) =>
      app.fetch(AGENT_PATHS.enrolments, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({
          token: "bkj_guess",
          identityKey: "A".repeat(43),
          signature: "A".repeat(86),
          hostname: "h",
          agent: AGENT,
        }),
      }),
  ],
];

test("who shows nothing has tried nothing: whoever opens pages before signing in may sign in afterwards", async () => {
  const app = createLimitedApp();
  const statuses: number[] = [];
  for (let count = 0; count < 25; count++) statuses.push((await app.fetch("/api/v1/me", { headers })).status);
  expect(statuses).toEqual(Array(25).fill(401));
  const guess = await app.fetch("/api/v1/me", { headers: { ...headers, authorization: "Bearer bkt_guess" } });
  expect(guess.status).toBe(401);
});

const AGENT = { agentVersion: "1", nodeVersion: "1", kernelVersion: "1", wireguard: "kernel" };

test.each(doors)("%s answers 429, with when to come back, after failures again and again", async (_, knock) => {
  const app = createLimitedApp();
  const answers: Response[] = [];
  for (let count = 0; count < 25; count++) answers.push(await knock(app));
  expect(answers.map(({ status }) => status)).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
  expect(answers.at(-1)?.headers.get("retry-after")).toBe("1");
  expect(await parseProblem(answers.at(-1) as Response)).toMatchObject({
    code: "rate_limited",
    detail: "too many failed attempts from this address",
  });
});

test("signing in by link answers 429, and says five seconds", async () => {
  const browser = createTestBrowser(createLimitedApp());
  const guess = () => browser.call(signInByLink, { body: { token: "bkl_guess" }, headers });
  for (let count = 0; count < 3; count++) expect((await guess()).status).toBe(401);
  const refused = await guess();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
});

test("nobody is locked out who was let in from there before: scripts, people, machines; and nobody elsewhere", async () => {
  const app = createLimitedApp();
  const meshId = (await app.call(createMesh, { body: { name: uniqueName("mesh"), cidr: "10.1.0.0/16" } })).reply.id;
  const machine = await enrolMachine(app, { meshIds: [meshId] });
  const { token } = (await app.call(createApiToken, { body: { name: "script", role: "viewer" } })).reply;
  const { browser } = await signIn(app, { name: uniqueName("person") });
  const poll = async () => (await fetchAs(app, machine, `${AGENT_PATHS.machineSync}?wait=0`, { headers })).status;
  const script = async (from = headers) => (await app.call(listMeshes, { as: { token }, headers: from })).status;
  const person = async () => (await browser.call(getMe, { headers })).status;
  const everybody = async () => [await poll(), await script(), await person()];

  expect(await everybody()).toEqual([200, 200, 200]);
  const [, knock] = doors[0] ?? [];
  for (let count = 0; count < 50; count++) await knock?.(app);
  expect(await everybody()).toEqual([200, 200, 200]);
  expect(await script(elsewhere)).toBe(200);

  const newcomer = await enrolMachine(app, { meshIds: [meshId] });
  expect((await fetchAs(app, newcomer, `${AGENT_PATHS.machineSync}?wait=0`, { headers })).status).toBe(429);
  expect((await fetchAs(app, newcomer, `${AGENT_PATHS.machineSync}?wait=0`, { headers: elsewhere })).status).toBe(200);
});
