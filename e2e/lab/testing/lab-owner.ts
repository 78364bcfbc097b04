// A program that owns a lab, for tests of what happens when it ends: prints the lab's id, then waits, or throws when told.
import { createLab } from "../lab.ts";

const lab = await createLab({ topology: { machines: [{ name: "carol" }] } });
// A daemon as wireguard-go is one: it left its parent, and it forgot the environment.
await lab.machine("carol").exec(["env", "--ignore-environment", "setsid", "--fork", "/usr/bin/sleep", "infinity"]);
process.stdout.write(`${lab.id}\n`);
process.stdin.once("data", () => {
  throw new Error("told to fail");
});
