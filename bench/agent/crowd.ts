// The other members of the mesh: simulated ones, online and silent. They said hello, tell endpoints, and answer no packet.
import { apiClient } from "../lib/api.ts";
import { eachAtOnce } from "../lib/each-at-once.ts";
import { createSimulatedAgent } from "../sync/simulated-agent.ts";

const CONNECTING_AT_ONCE = 32;

export interface Crowd {
  /** Messages that members got since the last call, by type, but for the mesh's own changes. */
  takeMessages(): Record<string, number>;
  leave(): void;
}

export interface CrowdOptions {
  /** As this process reaches the control plane. */
  readonly origin: string;
  readonly ownerToken: string;
  readonly meshId: string;
  readonly members: number;
  /** Members ping this often, so that they stay online. */
  readonly pingEveryMs: number;
}

export async function joinCrowd({ origin, ownerToken, meshId, members, pingEveryMs }: CrowdOptions): Promise<Crowd> {
  const api = apiClient({ origin, ownerToken });
  const { token } = await api("POST", "/join-tokens", { expiresInSeconds: 3_600, meshIds: [meshId] });
  const agents = Array.from({ length: members }, (_, index) => createSimulatedAgent(origin, index));
  let messages: Record<string, number> = {};
  for (const agent of agents) {
    agent.onMessage = (type) => {
      if (!type.startsWith("sync.")) messages[type] = (messages[type] ?? 0) + 1;
    };
  }
  await eachAtOnce(CONNECTING_AT_ONCE, agents, async (agent) => {
    await agent.enrol(token);
    await agent.connect(meshId);
  });
  const pinging = setInterval(() => {
    for (const agent of agents) agent.sendPing();
  }, pingEveryMs);
  return {
    takeMessages() {
      const taken = messages;
      messages = {};
      return taken;
    },
    leave() {
      clearInterval(pinging);
      for (const agent of agents) agent.cut();
    },
  };
}
