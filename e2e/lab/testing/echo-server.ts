// A program for machines in tests: a TCP server that gives back what it got, after the sender has ended its half.
import { createServer } from "node:net";

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("end", () => socket.end(Buffer.concat(chunks)));
});
server.listen(Number(process.argv[2]), () => process.stdout.write("listening\n"));
