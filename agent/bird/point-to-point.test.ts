// Two machines whose mesh is real WireGuard, a point-to-point interface, where BIRD needs no gateway in a route, and the agent does.
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { createIp } from "../net/ip.ts";
import { parseBirdRoutes } from "../net/parse-bird-routes.ts";
import { createClock } from "../system/clock.ts";
import { birdConfig, birdMember, prefix } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import { ensurePrivateKey } from "../wireguard/private-key.ts";
import { createWireGuard } from "../wireguard/wireguard.ts";
import type { BirdConfig } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const MESH = "bkt-p";
const METRIC = 61_820;
const [LAN, LAN6, VIP] = [prefix("192.168.50.0/24"), prefix("fd50::/48"), prefix("10.77.0.99/32")];
const WITHIN_MS = 15_000;

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `BIRD on real WireGuard${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 60_000 },
  () => {
    let lab: BirdLab;
    const machines: BirdMachine[] = [];
    beforeAll(async () => {
      lab = createBirdLab();
      machines.push(await lab.openMachine(), await lab.openMachine());
      await lab.join(
        "eth0",
        machines.map((machine, index) => [machine, `192.0.2.${index + 1}/24`] as const),
      );
      await joinByWireGuard(machines);
    }, 30_000);
    afterAll(() => lab.close());

    const apply = async (number: number, changes: Partial<BirdConfig>) => {
      const { bird, folder } = machines[number - 1] as BirdMachine;
      const place = { interfaceName: MESH, kernelMetric: METRIC, logFile: `${folder}/log` };
      const text = renderConfig(birdConfig(number, { ...place, ...changes }));
      expect(await bird(MESH, METRIC).apply(text)).toMatchObject({ ok: true });
    };

    it("names the member in each kernel route, of both families", async () => {
      const [one, two] = machines as [BirdMachine, BirdMachine];
      const prefixes = [LAN, LAN6, VIP];
      await apply(1, { members: [birdMember(2, { prefixes })] });
      await apply(2, {
        members: [birdMember(1)],
        announcements: [{ id: "lan", prefixes, state: "announced" }],
      });
      await eventually(async () => {
        expect(await readRoutes(one)).toEqual([
          { prefix: VIP, nextHop: "10.77.0.2", device: MESH, metric: METRIC },
          { prefix: LAN, nextHop: "10.77.0.2", device: MESH, metric: METRIC },
          { prefix: LAN6, nextHop: "fd77::2", device: MESH, metric: METRIC },
        ]);
      }, WITHIN_MS);
      expect(await readRoutes(two)).toEqual([]);
    });

    it("puts no part of another mesh of this machine into the kernel, whoever may announce it", async () => {
      const [one] = machines as [BirdMachine];
      const [whole, part] = [prefix("10.88.0.0/16"), prefix("10.88.0.7/32")];
      const prefixes = [LAN, whole, part];
      await apply(1, { networksOfOtherMeshes: [whole], members: [birdMember(2, { prefixes })] });
      await apply(2, {
        members: [birdMember(1)],
        announcements: [{ id: "lan", prefixes, state: "announced" }],
      });
      await eventually(async () => {
        const known = (await one.bird(MESH).readRoutes())?.flatMap(({ prefix, isBest }) => (isBest ? [prefix] : []));
        expect(known?.sort()).toEqual([whole, part, LAN]);
        expect((await readRoutes(one)).map(({ prefix }) => prefix)).toEqual([whole, LAN]);
      }, WITHIN_MS);
    });
  },
);

/** As the agent reads them. */
async function readRoutes({ namespace }: BirdMachine) {
  const families = [
    ["ipv4", "-4"],
    ["ipv6", "-6"],
  ] as const;
  const read = families.map(async ([family, option]) => {
    const what = ["route", "show", "table", "254", "proto", "12"];
    return parseBirdRoutes((await namespace.exec.run(["ip", "-N", option, "-json", ...what])).stdout, family);
  });
  return (await Promise.all(read)).flat();
}

/** Member 1 and 2 of the fixture's mesh: each has the other as its only peer, behind which is everything. */
async function joinByWireGuard(machines: readonly BirdMachine[]): Promise<void> {
  const opened = machines.map(async ({ namespace: { exec, files, askSocket }, folder }) => {
    const privateKeyFile = path.join(folder, "key");
    const publicKey = await ensurePrivateKey(files, privateKeyFile);
    const wireguard = createWireGuard({ exec, files, clock: createClock(), askSocket });
    return { publicKey, privateKeyFile, wireguard, ip: createIp(exec) };
  });
  const ends = await Promise.all(opened);
  for (const [index, { privateKeyFile, wireguard, ip }] of ends.entries()) {
    const far = ends[1 - index];
    if (far === undefined) throw new Error("two machines, no more");
    await wireguard.createInterface(MESH);
    const addAddresses = [`10.77.0.${index + 1}/16`, `fd77::${index + 1}/64`];
    await ip.configureLink(MESH, { isUp: true, addAddresses, removeAddresses: [] });
    await wireguard.configureDevice(MESH, { privateKeyFile, listenPort: 51_820 });
    const endpoint = `192.0.2.${2 - index}:51820` as Endpoint;
    const settings = { endpoint, keepaliveSeconds: 0, allowedIps: ["0.0.0.0/0", "::/0"] };
    const peer = { publicKey: far.publicKey, ...settings };
    await wireguard.changePeers(MESH, [{ kind: "add", peer, reason: "the other" }]);
  }
}
