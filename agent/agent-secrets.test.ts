// Whatever happens to an agent, its secrets stay where they are: no line of its log has one, and no program that it ran was given one by name.
import { afterEach, beforeEach, expect, test } from "vitest";
import { TEST_TOKEN } from "./testing/test-machine.ts";
import { createTwoMachines, type TwoMachines } from "./testing/two-machines.ts";

let world: TwoMachines;
const argvs: string[] = [];
beforeEach(async () => {
  world = await createTwoMachines();
  for (const { machine } of members()) machine.kernel.onCommand = (argv) => void argvs.push(argv.join(" "));
});
afterEach(() => world.close());

const members = () => [world.one, world.other];

/** Private keys by their files, and as the texts that a program could take them for. */
function listSecrets(): string[] {
  const keys = members().flatMap(({ machine }) =>
    [...machine.files.content].filter(([file]) => file.endsWith(".key")).map(([, text]) => text),
  );
  const bodies = keys.flatMap((text) => text.split("\n").filter((line) => line.length >= 32));
  return [TEST_TOKEN, ...bodies, ...world.plane.relay.tickets].filter((secret) => !secret.startsWith("-----"));
}

/** Of a machine token: any JWT begins so. */
const JWT = /\beyJ[A-Za-z0-9_-]{10,}\./;

test("secrets are in no log line and in no argument, while paths come and go, the control plane refuses and the disk fails", async () => {
  world.plane.levers.failNext = { times: 2, status: 500 };
  const { one, other, network, plane } = world;
  network.drops = () => true;
  one.start();
  other.start();
  await world.untilJoined();
  one.ping("by relay");
  await world.until(() => expect(other.machine.wireguard.received).toContain("by relay"));
  network.drops = () => false;

  one.machine.files.failWrites = "ENOSPC";
  await plane.goDown();
  await world.pass(30_000);
  one.machine.files.failWrites = null;
  await plane.goUp();
  await other.stop();
  other.start({ token: `${TEST_TOKEN}!` });
  await world.pass(30_000);

  const secrets = listSecrets();
  expect(secrets.length).toBeGreaterThanOrEqual(1 + 4 + 2);
  const lines = [...members().flatMap(({ machine }) => machine.logs), ...argvs];
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    expect(line).not.toMatch(JWT);
    for (const secret of secrets) expect(line.includes(secret), line.slice(0, 300)).toBe(false);
  }
});
