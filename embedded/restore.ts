// `npm run -s restore`: a state folder from a backup's file.
import { Command } from "commander";
import { isForPeople } from "./backup/backup-error.ts";
import { type RestoredBackup, restoreBackup } from "./backup/restore-backup.ts";

interface Arguments {
  readonly state: string;
  readonly force?: true;
  readonly json?: true;
}

const OWNER_TOKEN = {
  restored: "The owner's token is that of the backup.",
  kept: "The owner's token is the one that this folder had.",
  none: "The owner's token comes from BECKET_OWNER_TOKEN, or is made at the next start.",
} as const;

const command = new Command("becket-restore")
  .description(
    "Puts a backup into a state folder that no control plane uses. Start the control plane on it afterwards.",
  )
  .argument("<file>", "what `npm run -s backup` wrote")
  .option("--state <folder>", "the control plane's state folder; made when missing", "./becket-state")
  .option("--force", "where there is data already, move it aside")
  .option("--json", "print one JSON object on stdout")
  .action(run);

await command.parseAsync();

async function run(file: string, { state, force, json }: Arguments): Promise<void> {
  try {
    const say = (line: string) => void process.stderr.write(`${line}\n`);
    const restored = await restoreBackup({ file, stateDir: state, force: force === true, say });
    if (json) console.log(JSON.stringify(restored));
    else report(restored);
  } catch (error) {
    if (!isForPeople(error)) throw error;
    process.stderr.write(`becket: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function report({ state, backupCreatedAt, previousData, ownerToken }: RestoredBackup): void {
  console.log(`${state} is as it was at ${backupCreatedAt}.`);
  console.log(OWNER_TOKEN[ownerToken]);
  if (previousData !== null) console.log(`The data that was there is in ${previousData}.`);
  console.log(
    "What was revoked, blocked or removed after that is valid again: do it anew once the control plane has started (docs/operations.md).",
  );
}
