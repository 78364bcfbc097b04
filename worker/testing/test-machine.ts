// A machine for tests: its object, straight.
import { env } from "cloudflare:workers";
import type { MeshSettings } from "#schema/desired-state";
import { IdentityPublicKey, type MeshId } from "#schema/ids";
import type { AgentInfo } from "#schema/machine";
import { FromMachineMessage } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";
import type { MachineObject } from "../machine-object/machine-object.ts";
import { createObjects } from "../objects.ts";
import { createFakePoller, createMachineId, openMachineSocket, toObject } from "./fake-agent.ts";
import { TEST_CAUSE } from "./test-mesh.ts";

export const TEST_AGENT: AgentInfo = {
  agentVersion: "0.1.0",
  nodeVersion: "v24.0.0",
  kernelVersion: "6.18",
  wireguard: "kernel",
};

export const createMachineHello = (agent: AgentInfo = TEST_AGENT) => ({
  type: "machine.hello",
  wireVersion: WIRE_VERSION,
  agent,
});

export async function registerTestMachine(name = "box") {
  const machineId = createMachineId();
  const machine = createObjects(env).machine(machineId);
  const identityKey = IdentityPublicKey.parse(`${"A".repeat(42)}A`);
  const registration = { machineId, name, identityKey, agent: TEST_AGENT };
  await machine.register(registration);
  const poller = createFakePoller(toObject(machine, machineId), FromMachineMessage);

  return {
    machineId,
    machine,
    registration,
    stub: env.MACHINE.getByName(machineId) as unknown as DurableObjectStub<MachineObject>,
    join: ({ id, cidr }: Pick<MeshSettings, "id" | "cidr">) =>
      machine.joinMesh({ meshId: id, cidr, address: null, cause: TEST_CAUSE }),
    remove: () => machine.remove(registration, TEST_CAUSE),
    leave: (meshId: MeshId) => machine.leaveMesh(meshId, TEST_CAUSE),
    poller,
    socket: () => openMachineSocket(toObject(machine, machineId)),
    /** The meshes that the machine is told to be in. */
    async meshIds(): Promise<string[]> {
      const [state] = await poller.poll({});
      if (state?.type !== "machine.state") throw new Error(`no state: ${state?.type}`);
      return state.meshes.map(({ meshId }) => meshId);
    },
  };
}
