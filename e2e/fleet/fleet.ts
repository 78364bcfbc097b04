// A fleet: a lab, STUN servers and a control plane in it, and an agent for each machine. What the demo shows and the scenarios test.
//
//   await using fleet = await createFleet({ topology });
//   const mesh = await fleet.api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });
//   await fleet.enrolAll();
//   await fleet.untilConnected(mesh.id);
import type { CreatedMesh } from "#schema/api/meshes";
import { createLab, type Lab } from "../lab/lab.ts";
import type { TopologyInput } from "../lab/plan/topology.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { createAgent, type LabAgent } from "./agent.ts";
import type { Api } from "./api.ts";
import { type LabControlPlane, startControlPlane } from "./control-plane.ts";
import { type MeshAddress, pingOnce, readMeshAddresses } from "./reach.ts";
import { startStunServers } from "./stun-servers.ts";

export interface Fleet {
  readonly lab: Lab;
  readonly controlPlane: LabControlPlane;
  readonly api: Api;
  readonly agents: readonly LabAgent[];
  agent(machineName: string): LabAgent;
  /** Enrols every machine with one join token, all at once; resolves when each daemon runs. */
  enrolAll(options?: { meshIds?: string[] }): Promise<void>;
  /** Mesh addresses by machine name, from the API. */
  addresses(meshId: string): Promise<Map<string, MeshAddress>>;
  /** Waits until every ordered pair of the mesh's members has pinged, over both families. */
  untilConnected(meshId: string, options?: { withinMs?: number; members?: number }): Promise<void>;
  down(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FleetOptions {
  readonly topology: TopologyInput;
  /** Settings of the control plane. */
  readonly env?: Readonly<Record<string, string>>;
  /** More of its command line. */
  readonly controlPlaneArgs?: readonly string[];
  readonly signal?: AbortSignal;
}

export async function createFleet({
  topology,
  env = {},
  controlPlaneArgs: args = [],
  signal,
}: FleetOptions): Promise<Fleet> {
  const ending = signal === undefined ? {} : { signal };
  const lab = await createLab({ topology, ...ending });
  try {
    const { servers } = await startStunServers(lab, ending);
    const controlPlane = await startControlPlane(lab, { ...ending, env, args, stunServers: servers });
    return createHandle(lab, controlPlane);
  } catch (error) {
    if (signal?.aborted) {
      await lab.down();
      throw error;
    }
    const diagnostics = await lab.diagnostics();
    await lab.down();
    throw new Error(`the fleet did not start\n${diagnostics}`, { cause: error });
  }
}

function createHandle(lab: Lab, controlPlane: LabControlPlane): Fleet {
  const { api } = controlPlane;
  const agents = lab.machines.map((machine) => createAgent(machine, controlPlane.urlFor(machine)));
  const agent = (name: string) => {
    const found = agents.find((candidate) => candidate.machine.name === name);
    if (!found) throw new Error(`there is no machine "${name}" in this fleet`);
    return found;
  };

  async function untilConnected(meshId: string, { withinMs = 60_000, members = agents.length } = {}): Promise<void> {
    // Each pair has to be reached once: asking all of them anew each time would itself keep two cores from answering.
    const reached = new Set<string>();
    const look = async () => {
      const addresses = await readMeshAddresses(api, meshId);
      if (addresses.size < members) throw new Error(`only ${addresses.size} of ${members} members`);
      const missing = toPings(addresses).filter((ping) => !reached.has(renderPing(ping)));
      for (let first = 0; first < missing.length; first += PINGS_AT_ONCE) {
        const group = missing.slice(first, first + PINGS_AT_ONCE);
        await Promise.all(
          group.map(async (ping) => {
            if (await pingOnce(lab.machine(ping.from), ping.address, { timeoutMs: 1_000 }))
              reached.add(renderPing(ping));
          }),
        );
      }
      const left = missing.map(renderPing).filter((ping) => !reached.has(ping));
      if (left.length > 0) throw new Error(`not reached: ${left.join(", ")}`);
      return true;
    };
    await eventually(look, { withinMs, describe: "every pair of the mesh pings" });
  }

  const fleet: Fleet = {
    lab,
    controlPlane,
    api,
    agents,
    agent,
    async enrolAll(options = {}) {
      const { token } = await api.createJoinToken(options);
      await Promise.all(agents.map((one) => one.up({ token })));
    },
    addresses: (meshId) => readMeshAddresses(api, meshId),
    untilConnected,
    down: () => lab.down(),
    [Symbol.asyncDispose]: () => lab.down(),
  };
  return fleet;
}

const PINGS_AT_ONCE = 12;

interface MeshPing {
  readonly from: string;
  readonly to: string;
  readonly address: string;
}

/** From each member to each other one, over both families. */
function toPings(addresses: ReadonlyMap<string, MeshAddress>): MeshPing[] {
  return [...addresses.keys()].flatMap((from) =>
    [...addresses]
      .filter(([to]) => to !== from)
      .flatMap(([to, { ipv4, ipv6 }]) => [ipv4, ipv6].map((address) => ({ from, to, address }))),
  );
}

const renderPing = ({ from, to, address }: MeshPing): string => `${from} → ${to} (${address})`;

/** Runs a scenario on a fleet with a default mesh; prints every node's state when it fails. */
export async function withFleet(
  topology: TopologyInput,
  scenario: (fleet: Fleet, mesh: CreatedMesh) => Promise<void>,
): Promise<void> {
  await using fleet = await createFleet({ topology });
  try {
    const mesh = await fleet.api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });
    await scenario(fleet, mesh);
  } catch (error) {
    throw new Error(`${String(error)}\n${await fleet.lab.diagnostics()}`, { cause: error });
  }
}
