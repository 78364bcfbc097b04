// A client of /api/v1 for scenarios: checks the status, hands back parsed JSON.
import type { z } from "zod";
import { CreatedJoinToken } from "#schema/api/join-tokens";
import { listMachines } from "#schema/api/machines";
import { listMembers } from "#schema/api/members";
import { CreatedMesh } from "#schema/api/meshes";
import { Member } from "#schema/machine";

export interface Api {
  readonly url: string;
  readonly ownerToken: string;
  /** Resolves with the parsed answer (null without a body); rejects with status and body unless the status is 2xx. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  createMesh(mesh: { name: string; cidr: string; isDefault?: boolean }): Promise<CreatedMesh>;
  /** Members or not, the mesh goes. */
  deleteMesh(meshId: string): Promise<void>;
  addMember(meshId: string, machineId: string): Promise<Member>;
  createJoinToken(options?: { maxUses?: number; meshIds?: string[] }): Promise<CreatedJoinToken>;
  listMachines(): Promise<z.infer<typeof listMachines.reply>["items"]>;
  listMembers(meshId: string): Promise<z.infer<typeof listMembers.reply>["items"]>;
}

export function createApi(url: string, ownerToken: string): Api {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  return {
    url,
    ownerToken,
    call,
    createMesh: async (mesh) => CreatedMesh.parse(await call("POST", "/meshes", mesh)),
    deleteMesh: async (meshId) => {
      await call("DELETE", `/meshes/${meshId}?force=true`);
    },
    addMember: async (meshId, machineId) =>
      Member.parse(await call("POST", `/meshes/${meshId}/members`, { machineId })),
    createJoinToken: async (options = {}) => CreatedJoinToken.parse(await call("POST", "/join-tokens", options)),
    listMachines: async () => listMachines.reply.parse(await call("GET", "/machines?limit=500")).items,
    listMembers: async (meshId) =>
      listMembers.reply.parse(await call("GET", `/meshes/${meshId}/members?limit=500`)).items,
  };
}
