// How the Worker reaches the objects: each is named by the id of what it holds, a Relay object by its pair.
import type { Env } from "./env.ts";
import type { MachineObjectRpc } from "./machine-object/rpc.ts";
import type { MeshObjectRpc } from "./mesh-object/rpc.ts";
import type { RelayObjectRpc } from "./relay-object/rpc.ts";

export interface Objects {
  mesh(meshId: string): MeshObjectRpc;
  machine(machineId: string): MachineObjectRpc;
  /** @param name see toRelayName */
  relay(name: string): RelayObjectRpc;
}

// A stub answers every method of its class; the namespaces are untyped so that no use-case depends on the classes themselves.
export const createObjects = (env: Pick<Env, "MESH" | "MACHINE" | "RELAY">): Objects => ({
  mesh: (meshId) => env.MESH.getByName(meshId) as unknown as MeshObjectRpc,
  machine: (machineId) => env.MACHINE.getByName(machineId) as unknown as MachineObjectRpc,
  relay: (name) => env.RELAY.getByName(name) as unknown as RelayObjectRpc,
});
