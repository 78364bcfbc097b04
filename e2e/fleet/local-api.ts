// An agent's local API, asked over its unix socket from this host: files are shared between namespaces, and no process is started that
// would take time from what is measured. `becket peers --json` prints the same.
import { request } from "node:http";
import path from "node:path";
import { json } from "node:stream/consumers";
import type { z } from "zod";
import { AgentStatus, ExplainReply, LOCAL_PATHS, PeerList, type PeerStatus } from "#schema/local/status";
import type { LabNode } from "../lab/node.ts";

const TIMEOUT_MS = 5_000;

export const readStatus = (machine: LabNode): Promise<AgentStatus> => ask(machine, LOCAL_PATHS.status, AgentStatus);

export async function readPeers(machine: LabNode): Promise<PeerStatus[]> {
  return (await ask(machine, LOCAL_PATHS.peers, PeerList)).peers;
}

/** `peer`: its name or machine id. */
export async function readExplanations(machine: LabNode, peer: string): Promise<ExplainReply["paths"]> {
  return (await ask(machine, LOCAL_PATHS.explain, ExplainReply, { peer })).paths;
}

/** `body`: absent for a GET. */
async function ask<T>(machine: LabNode, urlPath: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
  const socketPath = path.join(machine.files.run, "agent.sock");
  const method = body === undefined ? "GET" : "POST";
  const headers = { "content-type": "application/json" };
  const answer = await new Promise<unknown>((resolve, reject) => {
    const outgoing = request(
      { socketPath, path: urlPath, method, headers, agent: false, timeout: TIMEOUT_MS },
      (reply) => {
        if (reply.statusCode === 200) return resolve(json(reply));
        reply.resume();
        reject(new Error(`${machine.name}: ${urlPath} answered ${reply.statusCode}`));
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${machine.name}: ${urlPath} took ${TIMEOUT_MS} ms`)));
    outgoing.once("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
  return schema.parse(answer);
}
