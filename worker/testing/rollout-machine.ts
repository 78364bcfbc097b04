// A machine that can be told to upgrade its agent, as the roll-out's tests need it.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { AgentInfo } from "#schema/machine";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import type { FromMachineMessage, MachineState } from "#schema/wire/messages";
import type { MachineObject } from "../machine-object/machine-object.ts";
import { TEST_BUILD, type TestApp, uniqueName } from "./create-test-app.ts";
import { AGENT_INFO, enrolMachine, toApp } from "./enrolled-machine.ts";
import { eventually } from "./eventually.ts";
import { type FakeSocket, openMachineSocket } from "./fake-agent.ts";
import { createMachineHello } from "./test-machine.ts";

export const OLD_AGENT: AgentInfo = { ...AGENT_INFO, buildSha256: "a".repeat(64), allowsUpgrades: true };
export const NEW_AGENT: AgentInfo = { ...OLD_AGENT, buildSha256: TEST_BUILD.sha256 };

export async function enrolRolloutMachine(
  app: TestApp,
  agent: AgentInfo = OLD_AGENT,
  options: { readonly meshIds?: readonly string[] } = {},
) {
  const hostname = uniqueName("host");
  const machine = await enrolMachine(app, { hostname, agent, ...options });
  const { machineId } = machine;
  let socket: FakeSocket<FromMachineMessage> | null = null;
  const stub = env.MACHINE.getByName(machineId) as unknown as DurableObjectStub<MachineObject>;
  const states = (): MachineState[] => (socket?.received ?? []).filter((message) => message.type === "machine.state");

  return {
    ...{ machineId, name: machine.name },
    stub,
    /** Comes with this agent, anew. */
    async hello(info: AgentInfo = OLD_AGENT): Promise<void> {
      socket?.close();
      socket = await openMachineSocket(toApp(app, machine, AGENT_PATHS.machineSync));
      socket.send(createMachineHello(info));
      await socket.next();
    },
    async goAway(): Promise<void> {
      socket?.close();
      await socket?.closed;
    },
    say: (message: unknown) => socket?.send(message),
    /** Leaves it as an object does that dies between D1's yes and its own. */
    interruptClaim: () =>
      runInDurableObject(
        stub,
        (_, { storage }) => void storage.sql.exec("UPDATE upgrade_orders SET state = 'claiming'"),
      ),
    /** Whether the machine is told to upgrade. */
    isOrdered: () => states().at(-1)?.upgrade != null,
    untilOrdered: () => eventually(async () => expect(states().at(-1)?.upgrade?.sha256).toBe(TEST_BUILD.sha256)),
  };
}
export type RolloutMachine = Awaited<ReturnType<typeof enrolRolloutMachine>>;
