// A program for machines in tests: PORT. Prints a line per datagram, "<address>:<port> <text>"; "tell ADDRESS PORT TEXT" makes it send TEXT
// from that same port.
import { createSocket } from "node:dgram";

const [port] = process.argv.slice(2);
const socket = createSocket("udp4");
socket.on("message", (message, { address, port: from }) => {
  const [verb, toAddress, toPort, ...words] = message.toString().split(" ");
  if (verb === "tell") socket.send(words.join(" "), Number(toPort), toAddress);
  else process.stdout.write(`${address}:${from} ${message}\n`);
});
socket.bind(Number(port), () => process.stdout.write("listening\n"));
