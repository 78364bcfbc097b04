// `npm run -s backup`: the state of the one-box control plane in one file, while it runs or not.
import { Command } from "commander";
import { isForPeople } from "./backup/backup-error.ts";
import { createBackup } from "./backup/create-backup.ts";

interface Arguments {
  readonly state: string;
  readonly to: string;
  readonly withOwnerToken?: true;
  readonly force?: true;
  readonly json?: true;
}

const command = new Command("becket-backup")
  .description(
    "Writes the control plane's state to one file. It may run meanwhile: what it answered before is in the file.",
  )
  .option("--state <folder>", "the control plane's state folder", "./becket-state")
  .requiredOption("--to <file>", "the file to write; in a folder: becket-TIME.tar.gz")
  .option("--with-owner-token", "put the owner's token in as well: whoever has the file has the control plane then")
  .option("--force", "replace the file when it is there already")
  .option("--json", "print one JSON object on stdout")
  .addHelpText(
    "after",
    "\nThe file is a secret all the same (docs/operations.md). `npm run -s restore` puts it into a state folder again.",
  )
  .action(run);

await command.parseAsync();

async function run({ state, to, withOwnerToken, force, json }: Arguments): Promise<void> {
  try {
    const created = await createBackup({
      ...{ stateDir: state, to, withOwnerToken: withOwnerToken === true, force: force === true },
      say: (line) => process.stderr.write(`${line}\n`),
    });
    console.log(json ? JSON.stringify(created) : created.file);
  } catch (error) {
    if (!isForPeople(error)) throw error;
    process.stderr.write(`becket: ${error.message}\n`);
    process.exitCode = 1;
  }
}
