// The packet rules on a real kernel, as root, for both families.
//
//   A 192.0.2.1, 2001:db8::1 ──eth0── B 192.0.2.2, 2001:db8::2         rules on A only
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { eventually } from "../testing/eventually.ts";
import { connectNamespaces, type Namespace, openNamespace, whyNoNamespaces } from "../testing/namespace.ts";
import { type NamespaceUdp, startNamespaceUdp } from "../testing/namespace-udp.ts";
import { renderStun } from "./codec.ts";
import { createPacketFilter, type PacketFilter } from "./packet-filter.ts";
import type { Lane, PacketRules } from "./packet-rules.ts";

const WIREGUARD = 51_820;
const PROBE = 40_001;
/** A's local port of the lane, and B's port that the lane leads to. */
const LANE = 45_000;
const FAR = 5_000;
const B = 3_478;
const FAMILIES = [
  { family: "IPv4", a: "192.0.2.1", b: "192.0.2.2" },
  { family: "IPv6", a: "[2001:db8::1]", b: "[2001:db8::2]" },
];
const PORTS = [{ wireguardPort: WIREGUARD, probePort: PROBE }];
const LANES: Lane[] = FAMILIES.map(({ b }) => ({
  wireguardPort: WIREGUARD,
  localPort: LANE,
  remote: `${b}:${FAR}` as Endpoint,
}));
const BOTH: PacketRules = { ports: PORTS, lanes: LANES };

const STUN = renderStun({ class: "request", transactionId: Buffer.alloc(12), attributes: {} });
/** A handshake initiation begins so; the magic cookie where WireGuard's sender index is must not matter. */
const WIREGUARD_PACKET = Buffer.concat([Buffer.from([1, 0, 0, 0, 0x21, 0x12, 0xa4, 0x42]), Buffer.alloc(136)]);
const FIREWALL = `table inet firewall {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established accept
    meta l4proto icmpv6 accept
  }
}
`;

const lack = whyNoNamespaces();

describe.skipIf(lack !== null)(
  `packet rules on real packets${lack === null ? "" : ` (left out: ${lack})`}`,
  { timeout: 30_000 },
  () => {
    let namespaces: [Namespace, Namespace];
    let a: NamespaceUdp;
    let b: NamespaceUdp;
    let filter: PacketFilter;

    beforeAll(async () => {
      namespaces = await Promise.all([openNamespace(), openNamespace()]);
      const [left, right] = namespaces;
      await connectNamespaces(left, "192.0.2.1/24", right, "192.0.2.2/24");
      for (const [index, { exec }] of namespaces.entries()) {
        const stdin = `address add 2001:db8::${index + 1}/64 dev eth0 nodad\n`;
        await exec.run(["ip", "-batch", "-"], { stdin });
      }
      filter = createPacketFilter(left.exec);
      [a, b] = [startNamespaceUdp(left), startNamespaceUdp(right)];
      await a.open(WIREGUARD, PROBE, LANE);
      await b.open(B, FAR);
    }, 30_000);
    afterEach(async () => {
      a.clear();
      b.clear();
      await namespaces[0].exec.run(["nft", "flush", "ruleset"]);
    });
    afterAll(async () => {
      await Promise.all(namespaces?.map((namespace) => namespace.close()) ?? []);
    });

    const arrivalsAt = ({ arrivals }: NamespaceUdp) => arrivals.map(({ port, from }) => `${port} from ${from}`);

    describe.each(FAMILIES)("over $family", ({ a: addressA, b: addressB }) => {
      it("let the probe speak from WireGuard's port, and steer STUN that comes there to it", async () => {
        await filter.set({ ports: PORTS, lanes: [] });

        await a.send(PROBE, `${addressB}:${B}`, STUN);
        await a.send(WIREGUARD, `${addressB}:${B}`, WIREGUARD_PACKET);
        await b.send(B, `${addressA}:${WIREGUARD}`, STUN);
        await b.send(B, `${addressA}:${WIREGUARD}`, WIREGUARD_PACKET);

        const from = `${addressA}:${WIREGUARD}`;
        await eventually(() => expect(arrivalsAt(b)).toEqual([`${B} from ${from}`, `${B} from ${from}`]));
        await eventually(() =>
          expect(arrivalsAt(a)).toEqual([`${PROBE} from ${addressB}:${B}`, `${WIREGUARD} from ${addressB}:${B}`]),
        );
      });

      it("carry WireGuard and checks through a lane towards its remote, and nobody else", async () => {
        await filter.set(BOTH);

        for (const to of [FAR, B]) {
          await a.send(WIREGUARD, `${addressB}:${to}`, WIREGUARD_PACKET);
          await a.send(PROBE, `${addressB}:${to}`, STUN);
        }
        for (const from of [FAR, B]) {
          await b.send(from, `${addressA}:${LANE}`, WIREGUARD_PACKET);
          await b.send(from, `${addressA}:${LANE}`, STUN);
        }

        const [lane, direct] = [`${FAR} from ${addressA}:${LANE}`, `${B} from ${addressA}:${WIREGUARD}`];
        await eventually(() => expect(arrivalsAt(b).sort()).toEqual([direct, direct, lane, lane]));
        const other = `${LANE} from ${addressB}:${B}`;
        await eventually(() =>
          expect(arrivalsAt(a).sort()).toEqual(
            [`${WIREGUARD} from ${addressB}:${FAR}`, `${PROBE} from ${addressB}:${FAR}`, other, other].sort(),
          ),
        );
      });

      it("get answers through a stateful firewall on this host, which drops everything else", async () => {
        await namespaces[0].exec.run(["nft", "-f", "-"], { stdin: FIREWALL });
        await filter.set(BOTH);
        const answer = renderStun({ class: "success", transactionId: Buffer.alloc(12), attributes: {} });

        await b.send(B, `${addressA}:${WIREGUARD}`, STUN);
        await a.send(PROBE, `${addressB}:${B}`, STUN);
        await a.send(PROBE, `${addressB}:${FAR}`, STUN);
        await eventually(() => expect(b.arrivals).toHaveLength(2));
        await b.send(B, `${addressA}:${WIREGUARD}`, answer);
        await b.send(B, `${addressA}:${WIREGUARD}`, WIREGUARD_PACKET);
        await b.send(FAR, `${addressA}:${LANE}`, answer);
        await b.send(FAR, `${addressA}:${LANE}`, WIREGUARD_PACKET);

        await eventually(() =>
          expect(arrivalsAt(a).sort()).toEqual(
            [B, FAR].flatMap((port) => [PROBE, WIREGUARD].map((at) => `${at} from ${addressB}:${port}`)).sort(),
          ),
        );
      });
    });

    it("are replaced under traffic without a packet lost or seen from another port", { timeout: 60_000 }, async () => {
      await filter.set(BOTH);
      const [{ a: addressA = "", b: addressB = "" } = {}] = FAMILIES;
      const batch = 50;
      let sent = 0;
      let isOver = false;
      const replaceOften = async () => {
        for (let round = 0; round < 20; round++)
          await filter.set({ ports: PORTS, lanes: round % 2 === 0 ? [] : LANES });
        isOver = true;
      };
      const keepSending = async () => {
        for (; !isOver; sent += batch) {
          await Promise.all([
            a.send(PROBE, `${addressB}:${B}`, STUN, batch),
            b.send(B, `${addressA}:${WIREGUARD}`, WIREGUARD_PACKET, batch),
          ]);
        }
      };

      await Promise.all([replaceOften(), keepSending()]);

      await eventually(() => expect([a.arrivals.length, b.arrivals.length]).toEqual([sent, sent]));
      expect(new Set(arrivalsAt(b))).toEqual(new Set([`${B} from ${addressA}:${WIREGUARD}`]));
      expect(new Set(arrivalsAt(a))).toEqual(new Set([`${WIREGUARD} from ${addressB}:${B}`]));
    });
  },
);
