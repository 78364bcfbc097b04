// The half of a forward that runs inside a node: a unix socket in, a TCP connection out. See forward.ts.
import { connect, createServer } from "node:net";
import { joinSockets } from "./join-sockets.ts";

const [socketPath = "", host = "", port = ""] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (socket) => {
  joinSockets(socket, connect({ host, port: Number(port), allowHalfOpen: true }));
});
server.listen(socketPath, () => process.stdout.write("ready\n"));
process.stdin.resume().once("close", () => process.exit(0));
