import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { eventually } from "../testing/eventually.ts";
import { createUdpSockets, type UdpOptions, type UdpSocket } from "./udp.ts";

const udp = createUdpSockets();
const opened: UdpSocket[] = [];
const hasIpv6 = await udp
  .open({ address: "::1" })
  .then((socket) => socket.close())
  .then(
    () => true,
    () => false,
  );

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

describe("a UDP socket", () => {
  it("tells where a packet came from, and answers there", async () => {
    const [left, right] = [await open({ address: "127.0.0.1" }), await open({ address: "127.0.0.1" })];
    right.socket.listen((packet, from) => right.socket.send(Buffer.from(`${packet}!`), from));

    left.socket.send(Buffer.from("hello"), `127.0.0.1:${right.socket.port}` as Endpoint);

    await eventually(() => expect(left.received).toEqual([`hello! from 127.0.0.1:${right.socket.port}`]));
  });

  it.skipIf(!hasIpv6)("has one port for both families", async () => {
    const [left, right] = [await open(), await open()];

    left.socket.send(Buffer.from("four"), `127.0.0.1:${right.socket.port}` as Endpoint);
    left.socket.send(Buffer.from("six"), `[::1]:${right.socket.port}` as Endpoint);

    const { port } = left.socket;
    await eventually(() =>
      expect(right.received.sort()).toEqual([`four from 127.0.0.1:${port}`, `six from [::1]:${port}`]),
    );
  });

  it("says that its port is taken", async () => {
    const { socket } = await open();

    await expect(udp.open({ port: socket.port })).rejects.toThrow(/EADDRINUSE/);
  });

  it.skipIf(!hasIpv6)("says that its port is taken for IPv6, and gives the IPv4 one back", async () => {
    const other = createSocket({ type: "udp6", ipv6Only: true });
    other.bind();
    await once(other, "listening");
    const { port } = other.address();

    await expect(udp.open({ port })).rejects.toThrow(/EADDRINUSE/);

    other.close();
    await once(other, "close");
    expect((await open({ port })).socket.port).toBe(port);
  });

  it("loses what it can't send, says so, and goes on", async () => {
    const { socket, errors } = await open({ address: "127.0.0.1" });
    const { socket: other, received } = await open({ address: "127.0.0.1" });

    socket.send(Buffer.from("lost"), "[2001:db8::1]:9" as Endpoint);
    socket.send(Buffer.alloc(70_000), `127.0.0.1:${other.port}` as Endpoint);
    socket.send(Buffer.from("unreachable"), "192.0.2.1:9" as Endpoint);
    socket.send(Buffer.from("there"), `127.0.0.1:${other.port}` as Endpoint);

    await eventually(() => expect(received).toEqual([`there from 127.0.0.1:${socket.port}`]));
    await eventually(() => expect(errors.length).toBeGreaterThanOrEqual(2));
  });

  it("survives that nobody listens where it sent to", async () => {
    const { socket } = await open({ address: "127.0.0.1" });
    const { socket: other, received } = await open({ address: "127.0.0.1" });
    const gone = await open({ address: "127.0.0.1" });
    gone.socket.close();

    for (let count = 0; count < 3; count++) {
      socket.send(Buffer.from("anybody?"), `127.0.0.1:${gone.socket.port}` as Endpoint);
      socket.send(Buffer.from(`${count}`), `127.0.0.1:${other.port}` as Endpoint);
    }

    await eventually(() => expect(received).toHaveLength(3));
  });

  it("may be closed twice, and swallows what is sent afterwards", async () => {
    const { socket, errors } = await open({ address: "127.0.0.1" });

    socket.close();
    socket.close();
    socket.send(Buffer.from("late"), "127.0.0.1:9" as Endpoint);

    expect(errors).toEqual([]);
  });
});

async function open(options: UdpOptions = {}) {
  const errors: Error[] = [];
  const received: string[] = [];
  const socket = await udp.open({ ...options, onError: (error) => errors.push(error) });
  socket.listen((packet, from) => received.push(`${packet} from ${from}`));
  opened.push(socket);
  return { socket, errors, received };
}
