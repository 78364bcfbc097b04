// Two meshes and the gateways between them: real BIRDs, two of them on each gateway. Each wire stands for a mesh.
//
//   a (10.77.0.1) ── eth0: mesh 77 ── g1, g2 (10.77.0.2, .3 | 10.88.0.2, .3) ── eth1: mesh 88 ── b (10.88.0.1)
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ipv4, Ipv6 } from "#schema/address";
import { birdConfig, birdMember, gatewayLink, prefix, toMeshId } from "../testing/bird-fixture.ts";
import { type BirdLab, type BirdMachine, createBirdLab, whyNoBirdLab } from "../testing/bird-lab.ts";
import { eventually } from "../testing/eventually.ts";
import { in88 } from "../testing/second-mesh.ts";
import type { Bird } from "./bird.ts";
import type { BirdConfig, BirdMember } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

const LAN = prefix("192.168.50.0/24");
const LAN6 = prefix("fd50::/48");
const MESH_77 = [prefix("10.77.0.0/16"), prefix("fd77::/64")];
const MESH_88 = [prefix("10.88.0.0/16"), prefix("fd88::/64")];
const WITHIN_MS = 15_000;

const addresses = (network: string, network6: string, number: number) => ({
  meshAddress: Ipv4.parse(`${network}.0.${number}`),
  meshAddress6: Ipv6.parse(`${network6}::${number}`),
});

const lack = whyNoBirdLab();
describe.skipIf(lack !== null)(
  `real gateways${lack === null ? "" : `, left out: ${lack}`}`,
  { timeout: 60_000 },
  () => {
    let lab: BirdLab;
    let a: BirdMachine;
    let b: BirdMachine;
    let gateways: BirdMachine[];
    const of77 = new Map<BirdMachine, Bird>();
    const of88 = new Map<BirdMachine, Bird>();
    beforeAll(async () => {
      lab = createBirdLab();
      [a, b] = [await lab.openMachine(), await lab.openMachine()];
      gateways = [await lab.openMachine(), await lab.openMachine()];
      const ends = (network: string, network6: string) =>
        gateways.map(
          (gateway, index) => [gateway, `${network}.0.${index + 2}/16`, `${network6}::${index + 2}/64`] as const,
        );
      await lab.join("eth0", [[a, "10.77.0.1/16", "fd77::1/64"], ...ends("10.77", "fd77")]);
      await lab.join("eth1", [[b, "10.88.0.1/16", "fd88::1/64"], ...ends("10.88", "fd88")]);
    }, 30_000);
    afterAll(() => lab.close());

    const config77 = (machine: BirdMachine, number: number, changes: Partial<BirdConfig>) =>
      birdConfig(number, { interfaceName: "eth0", logFile: `${machine.folder}/log77`, ...changes });
    const config88 = (machine: BirdMachine, number: number, changes: Partial<BirdConfig>): BirdConfig =>
      in88(birdConfig(number, { ...changes, interfaceName: "eth1", logFile: `${machine.folder}/log88` }));
    const toGateway = (number: number, prefixesOfOtherMeshes: BirdMember["prefixes"]) =>
      birdMember(number, { isGateway: true, prefixesOfOtherMeshes });

    async function apply(bird: Bird, config: BirdConfig): Promise<void> {
      expect(await bird.apply(renderConfig(config))).toMatchObject({ ok: true });
    }

    async function start(gateway: BirdMachine, number: number): Promise<void> {
      const other = number === 2 ? 3 : 2;
      const brings77 = [...MESH_77, LAN, LAN6];
      const bird77 = gateway.bird("eth0");
      const bird88 = gateway.bird("eth1", 5_202);
      of77.set(gateway, bird77);
      of88.set(gateway, bird88);
      await apply(
        bird77,
        config77(gateway, number, {
          isGateway: true,
          members: [birdMember(1, { prefixes: [LAN, LAN6] }), toGateway(other, MESH_88)],
          gatewayLinks: [gatewayLink({ ...addresses("10.88", "fd88", number), prefixes: MESH_88 })],
        }),
      );
      await apply(
        bird88,
        config88(gateway, number, {
          isGateway: true,
          members: [birdMember(1), toGateway(other, brings77)],
          gatewayLinks: [
            {
              meshId: toMeshId(77),
              asn: 4_200_000_077,
              localAddress: Ipv4.parse("127.0.1.2"),
              remoteAddress: Ipv4.parse("127.0.1.1"),
              ...addresses("10.77", "fd77", number),
              prefixes: brings77,
            },
          ],
        }),
      );
    }

    const routesOfB = async () => (await b.kernelRoutes()).map((route) => route.replace(/ src .*/, "")).sort();
    const viaGateway = (number: number) =>
      [
        `10.77.0.0/16 via 10.88.0.${number}`,
        `192.168.50.0/24 via 10.88.0.${number}`,
        `fd50::/48 via fd88::${number}`,
        `fd77::/64 via fd88::${number}`,
      ].sort();

    it("brings a mesh and its members' routes to the other mesh, with the AS that they come from", async () => {
      const announcements = [{ id: "lan", prefixes: [LAN, LAN6], state: "announced" as const }];
      const members = [toGateway(2, MESH_88), toGateway(3, MESH_88)];
      await apply(a.bird("eth0"), config77(a, 1, { announcements, members }));
      const brings = [...MESH_77, LAN, LAN6];
      const birdB = b.bird("eth1", 5_202);
      await apply(birdB, config88(b, 1, { members: [toGateway(2, brings), toGateway(3, brings)] }));
      const [first] = gateways;
      if (first !== undefined) await start(first, 2);
      await eventually(async () => expect(await routesOfB()).toEqual(viaGateway(2)), WITHIN_MS);
      const lan = (await birdB.readRoutes())?.find((route) => route.prefix === LAN);
      expect(lan).toMatchObject({ nextHop: "10.88.0.2", bgp: { asPath: ["4200000077"] }, isBest: true });
      const routesOfA = (await a.kernelRoutes()).map((route) => route.replace(/ src .*/, ""));
      expect(routesOfA).toEqual(["10.88.0.0/16 via 10.77.0.2", "fd88::/64 via fd77::2"]);
    });

    it("has packets find their way both ways", async () => {
      const [first] = gateways;
      await first?.namespace.exec.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
      await a.namespace.exec.run(["ping", "-c1", "-W2", "10.88.0.1"]);
      await b.namespace.exec.run(["ping", "-c1", "-W2", "10.77.0.1"]);
    });

    it("has two gateways that each use their own link, and neither installs the other's", async () => {
      const [first, second] = gateways;
      if (first === undefined || second === undefined) throw new Error("two gateways");
      await start(second, 3);
      await eventually(async () => {
        for (const [gateway, number] of [
          [first, 2],
          [second, 3],
        ] as const) {
          const best = ((await of88.get(gateway)?.readRoutes()) ?? []).filter(
            ({ isBest, bgp }) => isBest && bgp !== null,
          );
          expect(best.map(({ protocol }) => protocol)).toEqual(Array(4).fill(`gw_${toMeshId(77)}`));
          const lan = [
            `192.168.50.0/24 via 10.77.0.1 src 10.77.0.${number}`,
            `fd50::/48 via fd77::1 src fd77::${number}`,
          ];
          expect(await gateway.kernelRoutes()).toEqual(lan);
        }
      }, WITHIN_MS);
      const birdB = b.bird("eth1", 5_202);
      await eventually(async () => {
        const routes = (await birdB.readRoutes())?.filter((route) => route.prefix === LAN);
        expect(routes?.map(({ nextHop }) => nextHop).sort()).toEqual(["10.88.0.2", "10.88.0.3"]);
      }, WITHIN_MS);
    });

    it("goes on by the other gateway when one is stopped", async () => {
      const [first] = gateways;
      if (first === undefined) return;
      await of88.get(first)?.stop();
      await of77.get(first)?.stop();
      await eventually(async () => expect(await routesOfB()).toEqual(viaGateway(3)), 1_000);
      expect(await first.kernelRoutes()).toEqual([]);
    });
  },
);
