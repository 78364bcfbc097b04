// UDP sockets: the only place with node:dgram, besides the look whether a port is free.
//
// UDP promises nothing, so nothing here throws after a socket is open: a packet that can't be sent is lost, as it could be anywhere on
// its way. A socket doesn't keep the process alive.
import { createSocket, type RemoteInfo, type Socket, type SocketType } from "node:dgram";
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";

export interface UdpSocket {
  readonly port: number;
  /** Never throws. What went wrong (no route, a full buffer, no IPv6 here) is told to `onError`. */
  send(packet: Uint8Array, to: Endpoint): void;
  listen(onPacket: (packet: Buffer, from: Endpoint) => void): void;
  /** May be called twice. What is sent afterwards is lost. */
  close(): void;
}

export interface UdpOptions {
  /** 0 or absent: any free one. */
  readonly port?: number;
  /** Only this address, such as 127.0.0.1. Absent: all addresses of both families. */
  readonly address?: string;
  readonly onError?: (error: Error) => void;
}

export interface UdpSockets {
  /** One port for both families; IPv4 alone where IPv6 is off. Rejects when the port is taken. */
  open(options?: UdpOptions): Promise<UdpSocket>;
}

type Sockets = Partial<Record<SocketType, Socket>>;

/**
 * As much as the system allows (net.core.rmem_max; Linux doubles what it is told). What is there by default holds less than a hundred full
 * packets, and a relayed peer sends that many while this process is not on the processor.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** A port that is free for IPv4 may be taken for IPv6: look for another one, but not for ever. */
const MAX_ATTEMPTS = 16;

export function createUdpSockets(): UdpSockets {
  return { open };
}

async function open(options: UdpOptions = {}): Promise<UdpSocket> {
  const { port = 0, address, onError } = options;
  if (address !== undefined) {
    const type = address.includes(":") ? "udp6" : "udp4";
    return toUdpSocket({ [type]: await bind(type, port, address) }, onError);
  }
  for (let attempt = 1; ; attempt++) {
    const udp4 = await bind("udp4", port);
    try {
      const udp6 = await bindIpv6(udp4.address().port);
      return toUdpSocket(udp6 === null ? { udp4 } : { udp4, udp6 }, onError);
    } catch (error) {
      udp4.close();
      if (port !== 0 || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

function bind(type: SocketType, port: number, address?: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6", recvBufferSize: RECEIVE_BUFFER_BYTES });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, exclusive: true, ...(address === undefined ? {} : { address }) }, () => {
      socket.removeAllListeners("error");
      socket.unref();
      resolve(socket);
    });
  });
}

/** Null on a host without IPv6: not compiled in, or switched off by sysctl. */
async function bindIpv6(port: number): Promise<Socket | null> {
  try {
    return await bind("udp6", port);
  } catch (error) {
    if (error instanceof Error && "code" in error && isWithoutIpv6(error.code)) return null;
    throw error;
  }
}

const isWithoutIpv6 = (code: unknown): boolean => code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL";

function toUdpSocket(sockets: Sockets, onError: ((error: Error) => void) | undefined): UdpSocket {
  const all = Object.values(sockets);
  const tell = (error: Error) => onError?.(error);
  for (const socket of all) socket.on("error", tell);
  // A callback for each packet costs a tenth of the sending, so only who listens has one.
  const callback = onError === undefined ? undefined : (error: Error | null) => error && onError(error);
  const parse = rememberLast(parseEndpoint);
  let isClosed = false;
  return {
    port: all[0]?.address().port ?? 0,
    send(packet, to) {
      if (isClosed) return;
      const target = parse(to);
      const socket = sockets[target?.address.includes(":") ? "udp6" : "udp4"];
      if (target === null || socket === undefined) {
        tell(new Error(`no socket of this family to send to ${to}`));
        return;
      }
      try {
        socket.send(packet, target.port, target.address, callback);
      } catch (error) {
        tell(error instanceof Error ? error : new Error(String(error)));
      }
    },
    listen(onPacket) {
      for (const socket of all) {
        const toFrom = rememberLastSource();
        socket.on("message", (packet, source) => {
          const from = toFrom(source);
          if (from !== null) onPacket(packet, from);
        });
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      for (const socket of all) socket.close();
    },
  };
}

// A relayed peer sends thousands of packets a second to and from one endpoint, whose text is the same each time.

function rememberLast<T>(parse: (text: string) => T): (text: string) => T {
  let last: { text: string; value: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: parse(text) };
    return last.value;
  };
}

/** Null for a link-local source, which is no endpoint: it means nothing without its interface. Port 0 can't be answered. */
function rememberLastSource(): (source: RemoteInfo) => Endpoint | null {
  let last: { address: string; port: number; endpoint: Endpoint | null } | undefined;
  return ({ address, port }) => {
    if (last?.address !== address || last.port !== port) {
      const isEndpoint = !address.includes("%") && port > 0;
      last = { address, port, endpoint: isEndpoint ? renderEndpoint({ address, port }) : null };
    }
    return last.endpoint;
  };
}
