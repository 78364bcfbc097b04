// A program that owns a lab, for tests of what happens when it ends: prints the lab's id, then waits, or throws when told.
import { createLab } from "../lab.ts";

const lab = await createLab({ topology: { machines: [{ name: "carol" }] } });
// Daemons: they left their parent and forgot their environment; one has also left the machine's mounts.
const carol = lab.machine("carol");
await carol.exec(["env", "--ignore-environment", "setsid", "--fork", "/usr/bin/sleep", "infinity"]);
const elsewhere = [
  "nsenter",
  `--mount=/proc/${process.pid}/ns/mnt`,
  "env",
  "--ignore-environment",
  "setsid",
  "--fork",
  "/usr/bin/sleep",
  "infinity",
];
await carol.exec(elsewhere);
process.stdout.write(`${lab.id}\n`);
process.stdin.once("data", () => {
  throw new Error("told to fail");
});
