// A network of UDP sockets in memory. Packets arrive on a later turn, in order; those to nobody are lost, as in real life.
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";
import type { UdpSocket, UdpSockets } from "../system/udp.ts";

/** Itself the sockets of a machine at 127.0.0.1. */
export interface FakeUdp extends UdpSockets {
  /** The sockets of another machine, whose packets come from this address. */
  at(address: string): UdpSockets;
  /** A machine that looks after the ports of this address itself. */
  attach(address: string, receive: (packet: Buffer, from: Endpoint, port: number) => void): Transmit;
  /** A test's own: true drops the packet. */
  drops: (packet: Buffer, from: Endpoint, to: Endpoint) => boolean;
  /** What was sent and not dropped, in order. */
  readonly sent: readonly { readonly packet: Buffer; readonly from: Endpoint; readonly to: Endpoint }[];
  /** Endpoints that are open. */
  endpoints(): Endpoint[];
}

/** Sends from a port of the address. */
export type Transmit = (bytes: Uint8Array, port: number, to: Endpoint) => void;
type Receive = (packet: Buffer, from: Endpoint) => void;

const FIRST_FREE_PORT = 40_000;

export function createFakeUdp(): FakeUdp {
  const receivers = new Map<Endpoint, Receive>();
  const machines = new Map<string, (packet: Buffer, from: Endpoint, port: number) => void>();
  const sent: { packet: Buffer; from: Endpoint; to: Endpoint }[] = [];
  let nextPort = FIRST_FREE_PORT;

  function send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const packet = Buffer.from(bytes);
    if (fake.drops(packet, from, to)) return;
    sent.push({ packet, from, to });
    queueMicrotask(() => deliver(packet, from, to));
  }
  function deliver(packet: Buffer, from: Endpoint, to: Endpoint): void {
    const receive = receivers.get(to);
    const parts = parseEndpoint(to);
    if (receive !== undefined) receive(packet, from);
    else if (parts !== null) machines.get(parts.address)?.(packet, from, parts.port);
  }

  function openAt(address: string, port: number): UdpSocket {
    const own = renderEndpoint({ address, port });
    if (receivers.has(own)) throw new Error(`${own} is taken`);
    receivers.set(own, () => undefined);
    return {
      port,
      send: (bytes, to) => receivers.has(own) && send(bytes, own, to),
      listen(receive) {
        receivers.set(own, receive);
      },
      close: () => {
        receivers.delete(own);
      },
    };
  }
  const at = (home: string): UdpSockets => ({
    open: async ({ port = 0, address = home } = {}) => openAt(address, port === 0 ? nextPort++ : port),
  });
  const fake: FakeUdp = {
    ...at("127.0.0.1"),
    at,
    attach(address, receive) {
      machines.set(address, receive);
      return (bytes, port, to) => send(bytes, renderEndpoint({ address, port }), to);
    },
    drops: () => false,
    sent,
    endpoints: () => [...receivers.keys()],
  };
  return fake;
}
