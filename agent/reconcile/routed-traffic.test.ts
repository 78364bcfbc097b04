// Three machines with real WireGuard, real kernel routes and real packets, as root: what BGP changes must not be felt by traffic that goes on.
//
//   A 10.1.0.1 ── B 10.1.0.2 and C 10.1.0.3, both of which have 192.168.5.1 behind them
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { DesiredMesh } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { createClock } from "../system/clock.ts";
import { silentLogger } from "../system/logger.ts";
import { type BirdMachine, createBirdLab } from "../testing/bird-lab.ts";
import { MESH_A } from "../testing/desired-devices.ts";
import { eventually } from "../testing/eventually.ts";
import { startFlood } from "../testing/flood-ping.ts";
import { whyNoNamespaces } from "../testing/namespace.ts";
import { ensurePrivateKey } from "../wireguard/private-key.ts";
import { createWireGuard } from "../wireguard/wireguard.ts";
import { createMeshRoutes } from "./mesh-routes.ts";
import { createReconciler } from "./reconciler.ts";
import { createPeerCache, type LocalDevice, toDesiredDevice } from "./to-desired-device.ts";

const lack = whyNoNamespaces();
const machineId = (number: number) => `mch_01arz3ndektsv4rrffq69${String(number).padStart(5, "0")}` as MachineId;
const MARKS = "proto 12 metric 61820";
const MANY = 10_000;
const many = Array.from(
  { length: MANY },
  (_, index) => `172.${16 + (index >> 12)}.${(index >> 4) & 255}.${(index & 15) * 16}/28`,
);

describe.skipIf(lack !== null)(
  `traffic to what is behind members${lack === null ? "" : ` (left out: ${lack})`}`,
  { timeout: 300_000 },
  () => {
    const lab = createBirdLab();
    let machines: Machine[];
    let [a, b, c] = [] as unknown as [Machine, Machine, Machine];
    let agent: Agent;

    beforeAll(async () => {
      const opened = [await lab.openMachine(), await lab.openMachine(), await lab.openMachine()];
      await lab.join(
        "eth0",
        opened.map((machine, index) => [machine, `192.0.2.${index + 1}/24`] as const),
      );
      machines = await Promise.all(opened.map(openMachine));
      [a, b, c] = machines as [Machine, Machine, Machine];
      const desired = toMesh(machines);
      for (const machine of [b, c]) {
        await machine.namespace.exec.run(["ip", "address", "add", "192.168.5.1/32", "dev", "lo"]);
        const other = startAgent(machine, desired);
        await other.settled();
        await other.stop();
      }
      agent = startAgent(a, desired);
      await agent.settled();
      await eventually(() => ping(a, "10.1.0.2", 1));
      await eventually(() => ping(a, "10.1.0.3", 1));
    });
    afterAll(async () => {
      await agent?.stop();
      await lab.close();
    });

    const route = (how: string, prefix: string, nextHop: string) =>
      a.namespace.exec.run([
        "ip",
        "route",
        how,
        prefix,
        "via",
        nextHop,
        ...`dev bkt-a ${MARKS} src 10.1.0.1`.split(" "),
      ]);
    const behind = async (host: number) => {
      const key = machines[host - 1]?.device.publicKey;
      const peers = (await a.wireguard.readDevice("bkt-a"))?.peers ?? [];
      return (peers.find(({ publicKey }) => publicKey === key)?.allowedIps ?? []).filter(
        (one) => !one.startsWith("10.1.") && !one.startsWith("fd00:1:"),
      );
    };
    const untilBehind = (host: number, ...prefixes: string[]) =>
      eventually(async () => expect((await behind(host)).sort()).toEqual(prefixes.sort()), 15_000);

    it("flows when BIRD has the route, and stops when it is gone", async () => {
      await route("replace", "192.168.5.0/24", "10.1.0.2");
      await untilBehind(2, "192.168.5.0/24");
      expect(await ping(a, "192.168.5.1", 3)).toEqual({ sent: 3, received: 3 });

      await route("del", "192.168.5.0/24", "10.1.0.2");
      await untilBehind(2);
    });

    it("loses nothing when it moves from one member to the other and back", async () => {
      await route("replace", "192.168.5.0/24", "10.1.0.2");
      await untilBehind(2, "192.168.5.0/24");
      const before = await countRequests(b, c);
      const pinging = flood(a, "192.168.5.1");
      let counted = 0;

      for (let round = 0; round < 10; round++) {
        const [to, from] = round % 2 === 0 ? [3, 2] : [2, 3];
        await route("replace", "192.168.5.0/24", `10.1.0.${to}`);
        await untilBehind(to, "192.168.5.0/24");
        expect(await behind(from)).toEqual([]);
        // The answers that the former member had under way are lost: it may not send them any more. Not one more.
        counted += 1;
        expect(await ping(a, "192.168.5.1", 1)).toEqual({ sent: 1, received: 1 });
      }

      const { sent } = await pinging.end();
      expect((await countRequests(b, c)) - before).toBe(sent + counted);
    });

    it("loses nothing when other routes through the same members come and go, and the agent starts anew", async () => {
      await route("replace", "192.168.5.0/24", "10.1.0.2");
      await untilBehind(2, "192.168.5.0/24");
      const pinging = [flood(a, "192.168.5.1"), flood(a, "10.1.0.2"), flood(a, "10.1.0.3")];

      for (let round = 0; round < 3; round++) {
        await route("replace", "192.168.6.0/24", "10.1.0.2");
        await route("replace", "192.168.7.0/24", "10.1.0.3");
        await untilBehind(2, "192.168.5.0/24", "192.168.6.0/24");
        await untilBehind(3, "192.168.7.0/24");
        await agent.stop();
        agent = startAgent(a, toMesh(machines));
        await agent.settled();
        expect(await behind(3)).toEqual(["192.168.7.0/24"]);
        await route("del", "192.168.6.0/24", "10.1.0.2");
        await route("del", "192.168.7.0/24", "10.1.0.3");
        await untilBehind(2, "192.168.5.0/24");
        await untilBehind(3);
      }

      const ended = await Promise.all(pinging.map((one) => one.end()));
      expect(ended.map(({ lost }) => lost)).toEqual([0, 0, 0]);
    });

    it(`loses nothing when ${MANY} routes come, move and go at once`, async () => {
      await route("replace", "192.168.5.0/24", "10.1.0.2");
      await untilBehind(2, "192.168.5.0/24");
      const pinging = flood(a, "192.168.5.1");
      for (const [how, via, left] of [
        ["add", 2, 2],
        ["replace", 3, 3],
        ["del", 3, 0],
      ] as const) {
        const lines = many.map((prefix) => `route ${how} ${prefix} via 10.1.0.${via} dev bkt-a ${MARKS}`);
        await a.namespace.exec.run(["ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n`, timeoutMs: 60_000 });
        await eventually(async () => {
          // A look at so many takes a while itself.
          await new Promise((resolve) => setTimeout(resolve, 200));
          expect(await behind(2)).toHaveLength(1 + (left === 2 ? MANY : 0));
          expect(await behind(3)).toHaveLength(left === 3 ? MANY : 0);
        }, 90_000);
      }
      expect((await pinging.end()).lost).toBe(0);
    });
  },
);

interface Machine extends Pick<BirdMachine, "namespace"> {
  readonly machineId: MachineId;
  readonly host: number;
  readonly device: LocalDevice;
  readonly wireguard: ReturnType<typeof createWireGuard>;
}

async function openMachine({ namespace, folder }: BirdMachine, index: number): Promise<Machine> {
  const { exec, files, askSocket } = namespace;
  const host = index + 1;
  const privateKeyFile = path.join(folder, "key");
  const publicKey = await ensurePrivateKey(files, privateKeyFile);
  return {
    ...{ namespace, host, machineId: machineId(host) },
    device: { interfaceName: "bkt-a", listenPort: 51_820, publicKey, privateKeyFile },
    wireguard: createWireGuard({ exec, files, clock: createClock(), askSocket }),
  };
}

function toMesh(machines: readonly Machine[]): DesiredMesh {
  const behind = ["192.168.5.0/24", "192.168.6.0/24", "192.168.7.0/24", ...many];
  return DesiredMesh.parse({
    mesh: { id: MESH_A, name: "prod", cidr: "10.1.0.0/16", cidr6: "fd00:1::/64", asn: 4_200_000_001 },
    ...{ epoch: "e", revision: 1 },
    members: machines.map(({ machineId, host, device }) => ({
      ...{ machineId, name: `machine-${host}`, address: `10.1.0.${host}`, address6: `fd00:1::${host}` },
      ...{ publicKey: device.publicKey, candidates: [] },
    })),
    announcements: [
      { id: "rt_01arz3ndektsv4rrffq69g5fav", prefixes: behind, machineIds: [machineId(2), machineId(3)] },
    ],
  });
}

interface Agent {
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** The part of an agent between the kernel and WireGuard. */
function startAgent({ namespace, machineId, device, wireguard }: Machine, desired: DesiredMesh): Agent {
  const { exec, files, followProgram } = namespace;
  const clock = createClock();
  const reconciler = createReconciler({ exec, files, clock, log: silentLogger, wireguard });
  const peerCache = createPeerCache();
  const routes = createMeshRoutes(machineId, { exec, followProgram, clock, log: silentLogger, onChanged: apply });

  function apply(): void {
    routes.setMeshes([desired]);
    const made = toDesiredDevice({
      ...{ desired, machineId, device, peerCache, heldAddresses: [], networks: [] },
      routed: routes.routingOf(desired, device)?.routed ?? null,
      decisionOf: (peerId) => ({
        endpoint: `192.0.2.${Number(peerId.slice(-5))}:51820` as Endpoint,
        ...{ version: 1, keepaliveSeconds: 25, gatewayId: null },
      }),
    });
    if (made !== null) reconciler.setDesired([made]);
  }

  apply();
  return {
    settled: () => reconciler.whenSettled(),
    async stop() {
      routes.stop();
      await reconciler.stop();
    },
  };
}

/** Rejects when no answer came at all. */
async function ping(
  { namespace }: Machine,
  address: string,
  count: number,
): Promise<{ sent: number; received: number }> {
  const argv = ["ping", "-i", "0.02", "-W", "5", "-c", String(count), address] as const;
  const { stdout } = await namespace.exec.run(argv, { timeoutMs: 30_000 });
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  return { sent: Number(sent), received: Number(received) };
}

/** Echo requests that came in at any of them. */
async function countRequests(...machines: readonly Machine[]): Promise<number> {
  const counts = machines.map(async ({ namespace }) => {
    const { stdout } = await namespace.exec.run(["cat", "/proc/net/snmp"]);
    const [names = [], values = []] = stdout
      .split("\n")
      .filter((line) => line.startsWith("Icmp: "))
      .map((line) => line.split(" "));
    return Number(values[names.indexOf("InEchos")]);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Every 2 ms until it is ended. */
function flood({ namespace }: Machine, address: string) {
  const running = startFlood(namespace, address);
  return {
    async end() {
      const { sent, lost } = await running.end();
      expect(sent).toBeGreaterThan(100);
      return { sent, lost };
    },
  };
}
