// A program for machines in tests.
//   listen PORT            prints a line per datagram: "<address>:<port> <text>"; "tell ADDRESS PORT TEXT" makes it send TEXT
//   say PORT TEXT          sends TEXT to the listener on this machine
import { createSocket } from "node:dgram";

const [mode, port, text = ""] = process.argv.slice(2);
const socket = createSocket("udp4");

if (mode === "say") {
  socket.send(text, Number(port), "127.0.0.1", () => socket.close());
} else {
  socket.on("message", (message, { address, port: from }) => {
    const [verb, toAddress, toPort, ...words] = message.toString().split(" ");
    if (verb === "tell") socket.send(words.join(" "), Number(toPort), toAddress);
    else process.stdout.write(`${address}:${from} ${message}\n`);
  });
  socket.bind(Number(port), () => process.stdout.write("listening\n"));
}
