// The UDP of a machine on a fake network, in memory: its own sockets, WireGuard's port, and the packet rules between the two, as nft has them.
import { type Endpoint, renderEndpoint } from "#schema/address";
import { isStunPacket } from "../stun/codec.ts";
import type { PacketRules } from "../stun/packet-rules.ts";
import type { Clock } from "../system/clock.ts";
import type { UdpSockets } from "../system/udp.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { createFakeUdp, type FakeUdp } from "./fake-udp.ts";
import { createFakeWireGuard, type FakeWireGuard } from "./fake-wireguard.ts";
import type { MemoryFiles } from "./memory-files.ts";

export interface FakeHost {
  readonly udp: UdpSockets;
  readonly wireguard: FakeWireGuard;
}

export interface FakeHostOptions {
  readonly network: FakeUdp;
  readonly address: string;
  readonly kernel: FakeKernel;
  readonly files: MemoryFiles;
  readonly clock: Clock;
}

const LOOPBACK = "127.0.0.1";
const FIRST_FREE_PORT = 41_000;

export function createFakeHost({ network, address, kernel, files, clock }: FakeHostOptions): FakeHost {
  const sockets = new Map<number, (packet: Buffer, from: Endpoint) => void>();
  let nextPort = FIRST_FREE_PORT;
  const inside = createFakeUdp();
  const transmit = network.attach(address, receive);
  const transmitInside = inside.attach(LOOPBACK, (packet, from, port) => wireguard.receive(packet, { from, port }));
  const wireguard = createFakeWireGuard({
    ...{ kernel, files, clock },
    send: (packet, port, to) => (to.startsWith("127.") ? transmitInside(packet, port, to) : sendOut(packet, port, to)),
  });

  function sendOut(packet: Uint8Array, from: number, to: Endpoint): void {
    const { ports, lanes } = readRules(kernel);
    const port = ports.find(({ probePort }) => probePort === from)?.wireguardPort ?? from;
    const lane = lanes.find(({ wireguardPort, remote }) => wireguardPort === port && remote === to);
    transmit(packet, lane?.localPort ?? port, to);
  }

  function receive(packet: Buffer, from: Endpoint, to: number): void {
    const { ports, lanes } = readRules(kernel);
    const port = lanes.find(({ localPort, remote }) => localPort === to && remote === from)?.wireguardPort ?? to;
    const probe = ports.find(({ wireguardPort }) => wireguardPort === port)?.probePort;
    const socket = sockets.get(isStunPacket(packet) ? (probe ?? port) : port);
    if (socket === undefined) wireguard.receive(packet, { from, port });
    else socket(packet, from);
  }

  return {
    wireguard,
    udp: {
      async open({ port = 0, address: bound } = {}) {
        if (bound === LOOPBACK) return inside.open({ port, address: LOOPBACK });
        const own = port === 0 ? nextPort++ : port;
        if (sockets.has(own)) throw new Error(`${own} is taken`);
        sockets.set(own, () => undefined);
        return {
          port: own,
          send: (packet, to) => sockets.has(own) && sendOut(packet, own, to),
          listen: (listener) => sockets.set(own, listener),
          close: () => sockets.delete(own),
        };
      },
    },
  };
}

const PROBE = /^udp sport (\d+) udp sport set (\d+)$/;
const LANE = /^ip6? daddr (\S+) udp sport (\d+) udp dport (\d+) udp sport set (\d+)$/;

function readRules(kernel: FakeKernel): PacketRules {
  const rules = kernel.tables.get("inet becket")?.get("out")?.rules ?? [];
  return {
    ports: rules.flatMap((rule) => {
      const [, probePort, wireguardPort] = PROBE.exec(rule) ?? [];
      return probePort === undefined ? [] : [{ wireguardPort: Number(wireguardPort), probePort: Number(probePort) }];
    }),
    lanes: rules.flatMap((rule) => {
      const [, address, wireguardPort, port, localPort] = LANE.exec(rule) ?? [];
      if (address === undefined) return [];
      const remote = renderEndpoint({ address, port: Number(port) });
      return [{ wireguardPort: Number(wireguardPort), localPort: Number(localPort), remote }];
    }),
  };
}
