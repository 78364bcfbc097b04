// A network of UDP sockets in memory. Packets arrive on a later turn, in order; those to nobody are lost, as in real life.
import { type Endpoint, renderEndpoint } from "#schema/address";
import type { UdpSocket, UdpSockets } from "../system/udp.ts";

/** Itself the sockets of a machine at 127.0.0.1. */
export interface FakeUdp extends UdpSockets {
  /** The sockets of another machine, whose packets come from this address. */
  at(address: string): UdpSockets;
  /** A test's own: true drops the packet. */
  drops: (packet: Buffer, from: Endpoint, to: Endpoint) => boolean;
  /** What was sent and not dropped, in order. */
  readonly sent: readonly { readonly packet: Buffer; readonly from: Endpoint; readonly to: Endpoint }[];
  /** Endpoints that are open. */
  endpoints(): Endpoint[];
}

type Receive = (packet: Buffer, from: Endpoint) => void;

const FIRST_FREE_PORT = 40_000;

export function createFakeUdp(): FakeUdp {
  const receivers = new Map<Endpoint, Receive>();
  const sent: { packet: Buffer; from: Endpoint; to: Endpoint }[] = [];
  let nextPort = FIRST_FREE_PORT;

  function openAt(address: string, port: number): UdpSocket {
    const own = renderEndpoint({ address, port });
    if (receivers.has(own)) throw new Error(`${own} is taken`);
    receivers.set(own, () => undefined);
    return {
      port,
      send(bytes, to) {
        const packet = Buffer.from(bytes);
        if (!receivers.has(own) || fake.drops(packet, own, to)) return;
        sent.push({ packet, from: own, to });
        queueMicrotask(() => receivers.get(to)?.(packet, own));
      },
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
    drops: () => false,
    sent,
    endpoints: () => [...receivers.keys()],
  };
  return fake;
}
