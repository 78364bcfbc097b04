// A thousand machines in one mesh: each enrols as a real one does, and some of them stay connected. One of those says what it measures of all others.
import { enrolMachine } from "../../e2e/browser/told-machine.ts";
import { createPaths } from "../../e2e/browser/told-paths.ts";
import { apiClient } from "../lib/api.ts";
import type { ControlPlaneProcess } from "../lib/control-plane.ts";
import { eachAtOnce } from "../lib/each-at-once.ts";
import { since } from "../lib/measure.ts";
import { createSimulatedAgent } from "../sync/simulated-agent.ts";

export interface SeededMachines {
  readonly ms: number;
  /** The one that says what it measures. */
  readonly watchedId: string;
  stop(): void;
}

const AT_ONCE = 16;
/** Online is who was heard within the last minute. */
const PING_MS = 20_000;

export async function seedMachines(
  controlPlane: ControlPlaneProcess,
  { machines, connected }: { readonly machines: number; readonly connected: number },
): Promise<SeededMachines> {
  const api = apiClient(controlPlane);
  const mesh = await api("POST", "/meshes", { name: "office", cidr: "10.64.0.0/16", isDefault: true });
  const { token } = await api("POST", "/join-tokens", { expiresInSeconds: 3_600, meshIds: [mesh.id] });
  const agents = Array.from({ length: machines - 1 }, (_, index) => createSimulatedAgent(controlPlane.origin, index));
  const started = performance.now();
  await eachAtOnce(AT_ONCE, agents, (agent) => agent.enrol(token));
  const watched = await enrolMachine({ url: controlPlane.origin, call: api }, "watched", [mesh.id]);
  const ms = since(started);
  const online = agents.slice(0, connected - 1);
  await eachAtOnce(AT_ONCE, online, (agent) => agent.connect(mesh.id));
  const others = agents.map(({ machineId, name }) => ({ id: machineId, name }));
  const toPeers = createPaths({ meshId: mesh.id, self: watched, others, silentIds: [], gatewayId: watched.id });
  await watched.connect(mesh.id, {
    toTelemetry: () => ({ peers: toPeers(), endpoints: [], nat: null, announcements: [] }),
  });
  const timer = setInterval(() => {
    for (const agent of online) agent.sendPing();
  }, PING_MS);
  return {
    ms,
    watchedId: watched.id,
    stop() {
      clearInterval(timer);
      for (const agent of online) agent.cut();
      watched.stop();
    },
  };
}
