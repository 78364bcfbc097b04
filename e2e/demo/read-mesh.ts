// What the demo shows of a mesh: asked of the machines' own agents and of the control plane.
import type { PeerStatus } from "#schema/local/status";
import type { Fleet } from "../fleet/fleet.ts";
import { readPeers } from "../fleet/local-api.ts";
import { pingOnce } from "../fleet/reach.ts";
import type { LabNode } from "../lab/node.ts";
import type { NatKind } from "../lab/plan/nat.ts";
import type { TopologyInput } from "../lab/plan/topology.ts";
import type { MachineRow, PeerCell } from "./render-table.ts";
import type { PairPath, Reachability } from "./summarise.ts";

const PING_TIMEOUT_MS = 2_000;
const PLACES: Record<NatKind, string> = {
  easy: "easy NAT",
  hard: "hard NAT",
  "full-cone": "full-cone NAT",
  mapped: "NAT that maps ports",
  blocked: "UDP blocked",
};

/** A mesh, and the machines that are to be in it. */
export interface DemoMesh {
  readonly meshId: string;
  readonly names: readonly string[];
}

export async function readRows(fleet: Fleet, topology: TopologyInput, mesh: DemoMesh): Promise<MachineRow[]> {
  const members = new Map((await fleet.api.listMembers(mesh.meshId)).map((member) => [member.name, member]));
  return Promise.all(
    mesh.names.map(fleet.lab.machine).map(async (machine): Promise<MachineRow> => {
      // An agent that is starting, or gone, knows nobody.
      const peers = await readPeersOf(machine, mesh).catch(() => []);
      const member = members.get(machine.name);
      const failure = member?.failures[0];
      return {
        name: machine.name,
        place: placeOf(machine.lan, topology),
        meshIp: member?.address ?? null,
        peers: new Map(peers.map((peer) => [peer.machine, toCell(peer)])),
        problem: failure ? `${failure.step}: ${failure.message}` : member?.online === false ? "offline" : null,
      };
    }),
  );
}

/** How each ordered pair talks, as the first of it tells. */
export async function readPaths(fleet: Fleet, mesh: DemoMesh): Promise<PairPath[]> {
  const all = await Promise.all(
    mesh.names.map(fleet.lab.machine).map(async (machine) => {
      const peers = await readPeersOf(machine, mesh);
      return peers.map(({ machine: to, path, pathReason }) => ({
        from: machine.name,
        to,
        path,
        reason: path === "direct" ? null : pathReason,
      }));
    }),
  );
  return all.flat();
}

export async function readReachability(fleet: Fleet, meshId: string): Promise<Reachability> {
  const addresses = [...(await fleet.addresses(meshId))];
  const pairs = addresses.flatMap(([from]) => addresses.filter(([to]) => to !== from).map(([, to]) => ({ from, to })));
  const count = async (family: "ipv4" | "ipv6") => {
    const answers = await Promise.all(
      pairs.map(({ from, to }) => pingOnce(fleet.lab.machine(from), to[family], { timeoutMs: PING_TIMEOUT_MS })),
    );
    return answers.filter(Boolean).length;
  };
  return {
    machines: addresses.length,
    pairs: pairs.length,
    reachable4: await count("ipv4"),
    reachable6: await count("ipv6"),
  };
}

const readPeersOf = async (machine: LabNode, { meshId }: DemoMesh) =>
  (await readPeers(machine)).filter((peer) => peer.meshId === meshId);

function placeOf(lan: string | null, { lans = [] }: TopologyInput): string {
  if (lan === null) return "public";
  return PLACES[lans.find((candidate) => candidate.name === lan)?.nat ?? "easy"];
}

function toCell({ path, latencyMs, pathReason }: PeerStatus): PeerCell {
  return { path, latencyMs, reason: path === "direct" ? null : (pathReason?.message ?? null) };
}
