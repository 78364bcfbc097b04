// A machine behind a NAT of any behaviour, and STUN servers on the other side, in memory.
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";
import type { NatFiltering, NatMapping } from "#schema/nat";
import { parseStun, renderStun } from "../stun/codec.ts";
import type { Clock } from "../system/clock.ts";
import type { UdpSocket, UdpSockets } from "../system/udp.ts";

export interface FakeNatOptions {
  readonly clock: Clock;
  /** `none`: the machine has the public address itself. */
  readonly mapping: Exclude<NatMapping, "unknown">;
  readonly filtering: Exclude<NatFiltering, "unknown">;
  readonly hairpins?: boolean;
  readonly preservesPort?: boolean;
  /** A mapping is forgotten when it wasn't used for longer. */
  readonly lifetimeMs?: number;
  /** Local ports that the router forwards from anywhere. */
  readonly forwarded?: readonly number[];
}

export interface FakeNat extends UdpSockets {
  readonly publicAddress: string;
  readonly localAddress: string;
  /** Packets to these never arrive. */
  readonly blocked: Set<Endpoint>;
  /** A socket on the other side of the NAT, at this endpoint. */
  openOutside(endpoint: Endpoint): UdpSocket;
  /** Answers at `endpoint`; by RFC 5780 when it has another one. */
  addServer(endpoint: Endpoint, options?: { other?: Endpoint; refuses?: "changeRequest" | "responsePort" }): void;
}

interface Mapping {
  readonly localPort: number;
  readonly publicPort: number;
  readonly sentTo: Set<Endpoint>;
  usedAt: number;
}

type Receive = (packet: Buffer, from: Endpoint) => void;

const addressOf = (endpoint: Endpoint): string => parseEndpoint(endpoint)?.address ?? "";
const portOf = (endpoint: Endpoint): number => parseEndpoint(endpoint)?.port ?? 0;

export function createFakeNat(options: FakeNatOptions): FakeNat {
  const { clock, filtering, preservesPort = true, lifetimeMs = Number.POSITIVE_INFINITY, forwarded = [] } = options;
  const publicAddress = "198.51.100.1";
  const localAddress = options.mapping === "none" ? publicAddress : "192.168.1.2";
  const sockets = new Map<number, Receive>();
  const outside = new Map<Endpoint, Receive>();
  const mappings = new Map<string, Mapping>();
  const blocked = new Set<Endpoint>();
  let nextPort = 50_000;

  function keyOf(localPort: number, to: Endpoint): string {
    if (options.mapping === "address-dependent") return `${localPort} ${addressOf(to)}`;
    return options.mapping === "address-and-port-dependent" ? `${localPort} ${to}` : `${localPort}`;
  }

  function findMapping(localPort: number, to: Endpoint): Mapping {
    const key = keyOf(localPort, to);
    const known = mappings.get(key);
    if (known !== undefined && clock.now() - known.usedAt <= lifetimeMs) return known;
    const isTaken = [...mappings.values()].some(({ publicPort }) => publicPort === localPort);
    const isKept = options.mapping === "none" || (preservesPort && !isTaken);
    const made = { localPort, publicPort: isKept ? localPort : nextPort++, sentTo: new Set<Endpoint>(), usedAt: 0 };
    mappings.set(key, made);
    return made;
  }

  function sendOut(packet: Buffer, localPort: number, to: Endpoint): void {
    const mapping = findMapping(localPort, to);
    mapping.usedAt = clock.now();
    mapping.sentTo.add(to);
    if (blocked.has(to)) return;
    const from = renderEndpoint({ address: publicAddress, port: mapping.publicPort });
    if (addressOf(to) !== publicAddress) outside.get(to)?.(packet, from);
    else if (options.hairpins || options.mapping === "none") comeIn(packet, from, to);
  }

  function comeIn(packet: Buffer, from: Endpoint, to: Endpoint): void {
    const port = portOf(to);
    for (const mapping of mappings.values()) {
      if (mapping.publicPort !== port || clock.now() - mapping.usedAt > lifetimeMs) continue;
      if (!isLetIn(mapping, from)) continue;
      mapping.usedAt = clock.now();
      queueMicrotask(() => sockets.get(mapping.localPort)?.(packet, from));
      return;
    }
    if (forwarded.includes(port)) queueMicrotask(() => sockets.get(port)?.(packet, from));
  }

  function isLetIn({ sentTo }: Mapping, from: Endpoint): boolean {
    if (filtering === "endpoint-independent") return true;
    if (filtering === "address-and-port-dependent") return sentTo.has(from);
    return [...sentTo].some((one) => addressOf(one) === addressOf(from));
  }

  return {
    publicAddress,
    localAddress,
    blocked,
    async open({ port = 0 } = {}) {
      const own = port === 0 ? nextPort++ : port;
      sockets.set(own, () => undefined);
      return {
        port: own,
        send: (bytes, to) => sockets.has(own) && sendOut(Buffer.from(bytes), own, to),
        listen: (receive) => sockets.set(own, receive),
        close: () => sockets.delete(own),
      };
    },
    openOutside(endpoint) {
      outside.set(endpoint, () => undefined);
      return {
        port: portOf(endpoint),
        send: (bytes, to) => comeIn(Buffer.from(bytes), endpoint, to),
        listen: (receive) => outside.set(endpoint, (packet, from) => queueMicrotask(() => receive(packet, from))),
        close: () => outside.delete(endpoint),
      };
    },
    addServer(endpoint, { other, refuses } = {}) {
      const cornersOf = other === undefined ? [endpoint] : toCorners(endpoint, other);
      for (const at of cornersOf) {
        outside.set(at, (packet, from) => {
          const request = parseStun(packet);
          if (request?.class !== "request") return;
          const { changeRequest, responsePort } = request.attributes;
          const { transactionId } = request;
          const isRefused =
            (changeRequest && (other === undefined || refuses === "changeRequest")) ||
            (responsePort !== undefined && (other === undefined || refuses === "responsePort"));
          const to = responsePort ? renderEndpoint({ address: addressOf(from), port: responsePort }) : from;
          if (isRefused) {
            const errorCode = { code: 420, reason: "Unknown Attribute" };
            comeIn(renderStun({ class: "error", transactionId, attributes: { errorCode } }), at, from);
            return;
          }
          const otherAddress = other === undefined ? {} : { otherAddress: toOpposite(at, endpoint, other) };
          const attributes = { xorMappedAddress: from, ...otherAddress };
          const source = changeRequest && other ? toChanged(at, toOpposite(at, endpoint, other), changeRequest) : at;
          comeIn(renderStun({ class: "success", transactionId, attributes }), source, to);
        });
      }
    },
  };
}

/** The four sockets of a server of RFC 5780. */
function toCorners(a: Endpoint, b: Endpoint): Endpoint[] {
  return [addressOf(a), addressOf(b)].flatMap((address) =>
    [portOf(a), portOf(b)].map((port) => renderEndpoint({ address, port })),
  );
}

function toOpposite(at: Endpoint, a: Endpoint, b: Endpoint): Endpoint {
  const address = addressOf(at) === addressOf(a) ? addressOf(b) : addressOf(a);
  return renderEndpoint({ address, port: portOf(at) === portOf(a) ? portOf(b) : portOf(a) });
}

function toChanged(at: Endpoint, other: Endpoint, change: { changeAddress: boolean; changePort: boolean }): Endpoint {
  const address = change.changeAddress ? addressOf(other) : addressOf(at);
  return renderEndpoint({ address, port: change.changePort ? portOf(other) : portOf(at) });
}
