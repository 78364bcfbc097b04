// The lab's command line: build a network from a JSON file, run programs in it, take it down.
import { Command } from "commander";
import { downCommand, execCommand, statusCommand, upCommand } from "./commands.ts";

const program = new Command("lab")
  .description("Networks of Linux network namespaces: an internet, LANs behind NAT, machines. Needs root.")
  .enablePositionalOptions();

program
  .command("up")
  .description("build the network of a topology file (or of an example: four-machines, one-lan, two-public, two-lans)")
  .argument("<file>", "JSON file, or the name of an example")
  .option("--name <name>", "a name to call it by")
  .action(upCommand);
program
  .command("exec")
  .description("run a program in a machine, in a LAN's router, in control or in internet")
  .option("--lab <lab>", "id or name; may be left out when there is one lab")
  .argument("<node>")
  .argument("<command...>")
  .passThroughOptions()
  .action(execCommand);
program
  .command("status")
  .description("list labs, their nodes and addresses")
  .option("--json", "as one JSON array")
  .action(statusCommand);
program
  .command("down")
  .description("take a lab down, and clean what killed runs left")
  .argument("[lab]", "id or name; may be left out when there is one lab")
  .option("--all", "all labs that nobody's running program owns")
  .action(downCommand);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
