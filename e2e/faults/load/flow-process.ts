// Program: slow TCP connections to other machines, each opened once. Sends a number every 100 ms and expects the same numbers back in order.
// argv: PORT NAME=ADDRESS …. Listens on PORT too and answers with what it hears. Prints JSON lines: {to, echoed} now and then, {to, problem} once.
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const EVERY_MS = 100;
const TELL_EVERY = 10;
const [port = "", ...targets] = process.argv.slice(2);

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(Number(port), "::");

for (const target of targets) {
  const [to = "", address = ""] = target.split("=");
  const socket = connect(Number(port), address);
  let sent = 0;
  let echoed = 0;
  const timer = setInterval(() => socket.write(`${sent++}\n`), EVERY_MS);
  createInterface({ input: socket }).on("line", (line) => {
    if (Number(line) !== echoed) print({ to, problem: `${line} came where ${echoed} should have` });
    echoed++;
    if (echoed % TELL_EVERY === 0) print({ to, echoed });
  });
  socket.on("error", (error) => print({ to, problem: error.message }));
  socket.on("close", () => {
    clearInterval(timer);
    print({ to, problem: "the connection is closed" });
  });
}
