// Runs inside a namespace: opens UDP sockets there and does what its stdin says, a JSON value a line. Prints what arrives. See
// namespace-udp.ts for the other end.
import { createInterface } from "node:readline";
import type { Endpoint } from "#schema/address";
import { createUdpSockets, type UdpSocket } from "../system/udp.ts";

export interface UdpOrder {
  /** Opens this port where it isn't open yet. */
  readonly port: number;
  /** Sends to there, as often as told, a millisecond apart; the packet's number is its last four bytes. */
  readonly send?: { readonly to: Endpoint; readonly hex: string; readonly count: number };
}

export interface UdpArrival {
  readonly port: number;
  /** Empty: the port was opened, or all is sent. */
  readonly from: Endpoint | "";
  readonly hex: string;
}

if (process.argv[1] === import.meta.filename) {
  const udp = createUdpSockets();
  const sockets = new Map<number, UdpSocket>();
  const print = (arrival: UdpArrival) => process.stdout.write(`${JSON.stringify(arrival)}\n`);

  for await (const line of createInterface({ input: process.stdin })) {
    const { port, send } = JSON.parse(line) as UdpOrder;
    const socket = sockets.get(port) ?? (await udp.open({ port }));
    if (!sockets.has(port)) {
      sockets.set(port, socket);
      socket.listen((packet, from) => print({ port, from, hex: packet.toString("hex") }));
    }
    for (let number = 0; number < (send?.count ?? 0); number++) {
      const tail = Buffer.alloc(4);
      tail.writeUInt32BE(number);
      if (send) socket.send(Buffer.concat([Buffer.from(send.hex, "hex"), tail]), send.to);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    print({ port, from: "", hex: "" });
  }
}
