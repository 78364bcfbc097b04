// A state that was restored from a backup, as its objects see it: the same rows, and a generation in the environment. What happened between the
// backup and the loss is known to machines alone.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { renderGeneration } from "#schema/generation";
import { ADDRESS_QUARANTINE_MS } from "#schema/limits";
import { FromMachineMessage } from "#schema/wire/messages";
import { createDatabase } from "../durable/sqlite.ts";
import { createLogger } from "../log.ts";
import { createDoorbell } from "../machine-object/doorbell.ts";
import { createMachineStorage } from "../machine-object/storage.ts";
import { createHello, createMachineId, createPublicKey } from "../testing/fake-agent.ts";
import { registerTestMachine } from "../testing/test-machine.ts";
import { createTestMesh, TEST_CAUSE } from "../testing/test-mesh.ts";
import { createMesh } from "./create-mesh.ts";
import { addMember } from "./members.ts";

const RESTORED_AT = Date.now();
const generationOf = (number: number) => renderGeneration(RESTORED_AT, Uint8Array.of(number, 0, 0));
const restored = (number = 1) => ({ ...env, BECKET_GENERATION: generationOf(number) });

test("revisions that are used again fool nobody: whoever knows one from before the restore gets everything", async () => {
  const mesh = await createTestMesh();
  const publicKey = createPublicKey();
  const { machineId, answer } = await mesh.connectNew({ publicKey });
  if (answer.type !== "sync.snapshot") throw new Error("a new member gets a snapshot");
  const { epoch, revision } = answer;
  await runInDurableObject(mesh.stub, (_, state) => {
    const say = (service: ReturnType<typeof createMesh>, position: { epoch: string; revision: number }) => {
      const said = service.endpoint.post(
        machineId,
        JSON.stringify({ messages: [createHello({ publicKey, position })] }),
      );
      const [text = ""] = said.ok ? said.value : [];
      return JSON.parse(text) as { type: string; epoch: string; revision: number };
    };
    const before = createMesh(state, env);
    expect(say(before, { epoch, revision })).toMatchObject({ type: "sync.changes", epoch });
    const after = createMesh(state, restored());
    const known = say(after, { epoch, revision });
    expect(known).toMatchObject({ type: "sync.snapshot", revision });
    expect(known.epoch).not.toBe(epoch);
    // From there on it goes on as ever, until the next restore, which may be one of the same backup.
    expect(say(after, known)).toMatchObject({ type: "sync.changes", epoch: known.epoch });
    const again = say(createMesh(state, restored(2)), known);
    expect(again.type).toBe("sync.snapshot");
    expect(new Set([epoch, known.epoch, again.epoch]).size).toBe(3);
  });
});

test("addresses that may have been given since the backup wait for as long as those of machines that left", async () => {
  const mesh = await createTestMesh({ cidr: "10.1.0.0/29" });
  await mesh.addNew();
  await runInDurableObject(mesh.stub, (_, state) => {
    const service = createMesh(state, restored());
    const join = (nowMs: number) => {
      const request = { machineId: createMachineId(), name: "box", address: null, isGateway: false, cause: TEST_CAUSE };
      const added = service.storage.transaction(() => addMember(service, request, nowMs));
      return added.ok ? added.value.address : added.error.code;
    };
    expect([join(RESTORED_AT), join(RESTORED_AT + ADDRESS_QUARANTINE_MS - 1)]).toEqual(["10.1.0.6", "10.1.0.5"]);
    expect(join(RESTORED_AT + ADDRESS_QUARANTINE_MS)).toBe("10.1.0.2");
    // Rather given twice than refused.
    expect([join(RESTORED_AT), join(RESTORED_AT), join(RESTORED_AT)]).toEqual([
      ...["10.1.0.4", "10.1.0.3"],
      "address_pool_exhausted",
    ]);
  });
});

test("a machine's revisions go on above those that it may have seen", async () => {
  const machine = await registerTestMachine();
  await machine.join((await createTestMesh()).settings);
  await runInDurableObject(machine.stub, async (_, state) => {
    const log = createLogger("error");
    const storage = createMachineStorage(createDatabase(state.storage));
    const outbox = { enqueue: () => undefined, drain: async () => undefined };
    const upgrades = { order: () => null, saidHello: () => undefined, failed: () => undefined };
    const open = (generation: string | null) =>
      createDoorbell(state, { storage, outbox, upgrades, generation, stunServers: [], now: Date.now, log });
    const poll = async (generation: string | null, since: number) => {
      const answer = await open(generation).poll(
        machine.machineId,
        new URLSearchParams({ since: String(since), wait: "0" }),
      );
      const [text] = answer.ok ? answer.value : [];
      return text === undefined ? null : FromMachineMessage.parse(JSON.parse(text));
    };
    expect(await poll(null, 2)).toBeNull();
    const state_ = await poll(generationOf(1), 2);
    if (state_?.type !== "machine.state") throw new Error("it is told its state");
    expect(state_.revision).toBeGreaterThan(RESTORED_AT);
    expect(await poll(generationOf(1), state_.revision)).toBeNull();
  });
});
