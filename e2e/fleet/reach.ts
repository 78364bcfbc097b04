// Who reaches whom inside a mesh.
import type { LabNode } from "../lab/node.ts";
import type { Api } from "./api.ts";

export interface MeshAddress {
  readonly machineId: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Mesh addresses by machine name. */
export async function readMeshAddresses(api: Api, meshId: string): Promise<Map<string, MeshAddress>> {
  const members = await api.listMembers(meshId);
  return new Map(
    members.map(({ name, machineId, address, address6 }) => [name, { machineId, ipv4: address, ipv6: address6 }]),
  );
}

/** True when one echo request was answered in time. */
export async function pingOnce(from: LabNode, address: string, { timeoutMs }: { timeoutMs: number }): Promise<boolean> {
  try {
    await from.exec(["ping", "-n", "-c", "1", "-W", String(timeoutMs / 1_000), address], {
      timeoutMs: timeoutMs + 5_000,
    });
    return true;
  } catch {
    // No answer, or no route yet: both mean "not reached".
    return false;
  }
}
