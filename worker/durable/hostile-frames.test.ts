// Hostile agents, and one who watches, at each of the four sockets: messages of the wire's own schemas with parts replaced, and what is no message.
// Whatever comes, the object refuses it by name and lives, and no row that is not the sender's own changes.
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ToLiveMessage } from "#schema/live/messages";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { MAX_BATCH_MESSAGES, ToMachineMessage, ToMeshMessage } from "#schema/wire/messages";
import { ToRelayMessage } from "#schema/wire/relay";
import { createTestApp, OWNER_TOKEN } from "../testing/create-test-app.ts";
import { dumpRows } from "../testing/dump-state.ts";
import { type EnrolledMachine, enrolMachine, fetchAs } from "../testing/enrolled-machine.ts";
import { expectSound } from "../testing/expect-sound.ts";
import { createHello } from "../testing/fake-agent.ts";
import { arbitraryOf, fuzzRuns, hostileBody, type JsonSchema } from "../testing/hostile-values.ts";
import { createOneOfEach, type OneOfEach } from "../testing/one-of-each.ts";
import { createTestRelay } from "../testing/test-relay.ts";

const app = createTestApp();
const LONG = 600_000;
/** Every way in which an object ends a socket for what came over it. 1011 would be a fault of its own. */
const REFUSALS = [4400, 4401, 4403, 4409, 4426, 4429];

let victim: OneOfEach;
let stranger: OneOfEach;
let attacker: EnrolledMachine;

beforeAll(async () => {
  victim = await createOneOfEach(app);
  stranger = await createOneOfEach(app);
  attacker = await enrolMachine(app, { meshIds: [victim.ids.meshId ?? ""] });
  const hello = JSON.stringify({ messages: [createHello()] });
  await fetchAs(app, victim.machine, meshPath(), { method: "POST", body: hello });
}, LONG);

const meshPath = ({ ids } = victim) => AGENT_PATHS.meshSync(ids.meshId ?? "");

/** Of the mesh that the attacker is in: its counters, and the key that it makes for the first relay that anybody asks for. */
const OF_THE_MESH = ["mesh", "relay_ticket_key"];

/** What does not mention the attacker. */
async function dumpOthers(): Promise<unknown> {
  const meshIds = [victim, stranger].map(({ ids }) => ids.meshId ?? "");
  const machineIds = [victim, stranger].flatMap(({ ids }) => [ids.machineId ?? "", ids.peerId ?? ""]);
  return (await dumpRows({ meshIds, machineIds })).filter(
    ({ owner, table, text }) =>
      !text.includes(attacker.machineId) && !(owner === victim.ids.meshId && OF_THE_MESH.includes(table)),
  );
}

function framesOf(schema: z.ZodType): fc.Arbitrary<(string | Uint8Array)[]> {
  const texts = [...Object.values(victim.ids), ...Object.values(stranger.ids), attacker.machineId];
  const known = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })),
  ) as JsonSchema;
  const resolve = (ref: string) =>
    (known.$defs as Record<string, JsonSchema> | undefined)?.[ref.split("/").at(-1) ?? ""] ?? {};
  const message = arbitraryOf(known, { texts, resolve }).map((value) => JSON.stringify(value) ?? "");
  const frame = fc.oneof({ weight: 5, arbitrary: message }, { weight: 1, arbitrary: hostileBody });
  return fc.array(frame, { minLength: 1, maxLength: 5 });
}

/** Sends all, and then what is no message: the object has looked at each when it refuses that, if not at one before. */
async function expectRefused(response: Response, frames: readonly (string | Uint8Array)[]): Promise<void> {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no upgrade: ${response.status} ${await response.text()}`);
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.accept();
  for (const frame of [...frames, "{"]) socket.send(frame);
  expect(REFUSALS).toContain((await closed).code);
}

const upgrade = { headers: { upgrade: "websocket" } };

const ways = [
  { name: "a mesh", schema: ToMeshMessage, path: () => meshPath() },
  { name: "the doorbell", schema: ToMachineMessage, path: () => AGENT_PATHS.machineSync },
] as const;

test.each(ways)(
  "$name withstands any message of an agent, over both transports",
  async ({ schema, path }) => {
    const before = await dumpOthers();
    await fc.assert(
      fc.asyncProperty(framesOf(schema), async (frames) => {
        await expectRefused(await fetchAs(app, attacker, path(), upgrade), frames);
        const messages = frames
          .flatMap((frame) => (typeof frame === "string" ? parse(frame) : []))
          .slice(0, MAX_BATCH_MESSAGES);
        const body = JSON.stringify({ messages });
        await expectSound(await fetchAs(app, attacker, path(), { method: "POST", body }));
      }),
      { numRuns: fuzzRuns(60) },
    );
    expect(await dumpOthers()).toEqual(before);
  },
  LONG,
);

test(
  "a mesh that a machine is not in hears nothing of it",
  async () => {
    const before = await dumpOthers();
    await fc.assert(
      fc.asyncProperty(framesOf(ToMeshMessage), async (frames) => {
        const body = JSON.stringify({
          messages: frames.flatMap((frame) => (typeof frame === "string" ? parse(frame) : [])),
        });
        const refused = await fetchAs(app, attacker, meshPath(stranger), { method: "POST", body });
        expect([403, 413]).toContain(refused.status);
        await expectSound(refused);
        expect((await fetchAs(app, attacker, meshPath(stranger), upgrade)).status).toBe(403);
      }),
      { numRuns: fuzzRuns(10) },
    );
    expect(await dumpOthers()).toEqual(before);
  },
  LONG,
);

test(
  "a mesh withstands any message of one who watches it",
  async () => {
    const before = await dumpOthers();
    const headers = { ...upgrade.headers, authorization: `Bearer ${OWNER_TOKEN}` };
    await fc.assert(
      fc.asyncProperty(framesOf(ToLiveMessage), async (frames) => {
        await expectRefused(await app.fetch(`/api/v1/meshes/${victim.ids.meshId}/live`, { headers }), frames);
      }),
      { numRuns: fuzzRuns(30) },
    );
    expect(await dumpOthers()).toEqual(before);
  },
  LONG,
);

test(
  "a relay withstands any frame, and its other side stays",
  async () => {
    const relay = await createTestRelay();
    const peer = await relay.open(relay.other, relay.one);
    await fc.assert(
      fc.asyncProperty(framesOf(ToRelayMessage), async (frames) => {
        await expectRefused(await relay.request(relay.one, relay.other.machineId), frames);
      }),
      { numRuns: fuzzRuns(30) },
    );
    const again = await relay.open(relay.one, relay.other);
    again.send(new Uint8Array(64).fill(7));
    await expect.poll(() => peer.frames.at(-1)).toEqual(new Uint8Array(64).fill(7));
  },
  LONG,
);

function parse(frame: string): unknown[] {
  try {
    return [JSON.parse(frame)];
  } catch {
    return [];
  }
}
