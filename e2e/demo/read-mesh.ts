// What the demo shows of a mesh: asked of the machines' own WireGuard and of the control plane.
import type { Fleet } from "../fleet/fleet.ts";
import { pingOnce } from "../fleet/reach.ts";
import { readTunnels } from "../fleet/tunnels.ts";
import type { MachineRow } from "./render-table.ts";
import type { Reachability } from "./summarise.ts";

/** WireGuard gives a session up this long after its handshake (REJECT_AFTER_TIME). */
const SESSION_SECONDS = 180;
const PING_TIMEOUT_MS = 2_000;

export async function readRows(fleet: Fleet, meshId: string): Promise<MachineRow[]> {
  const members = new Map((await fleet.api.listMembers(meshId)).map((member) => [member.name, member]));
  return Promise.all(
    fleet.lab.machines.map(async (machine): Promise<MachineRow> => {
      const tunnels = await readTunnels(machine).catch(() => []);
      const now = Math.floor(Date.now() / 1_000);
      const ages = tunnels.filter((tunnel) => tunnel.latestHandshake > 0).map((tunnel) => now - tunnel.latestHandshake);
      const up = ages.filter((age) => age < SESSION_SECONDS);
      const member = members.get(machine.name);
      const failure = member?.failures[0];
      return {
        name: machine.name,
        place: machine.lan === null ? "public" : `on LAN ${machine.lan}`,
        meshIp: member?.address ?? null,
        peersUp: up.length,
        peerCount: fleet.lab.machines.length - 1,
        handshakeAgeSeconds: up.length === 0 ? null : Math.max(...up),
        problem: failure ? `${failure.step}: ${failure.message}` : member?.online === false ? "offline" : null,
      };
    }),
  );
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
