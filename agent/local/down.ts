// `becket down`: removes exactly our interfaces, with the agent's help or without it.
import { DownReply, LOCAL_PATHS } from "#schema/local/status";
import { endBirds } from "../bird/end-birds.ts";
import { createIdentityStore } from "../control/identity.ts";
import { forgetAnnounced } from "../health/health.ts";
import { isOurs } from "../reconcile/ownership.ts";
import { createReconciler } from "../reconcile/reconciler.ts";
import { toBirdFolder } from "../routing/routing.ts";
import { toDebugLogger } from "../system/logger.ts";
import type { CliPorts, Folders } from "./cli.ts";
import { createLocalClient } from "./client.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";
import { requireRoot } from "./requirements.ts";
import { takeNetwork } from "./take-network.ts";

export interface DownOptions extends Folders {
  readonly forget?: boolean;
}

export async function down(options: DownOptions, cli: CliPorts): Promise<void> {
  requireRoot(cli.isRoot, "`becket down`");
  const isForgetting = options.forget ?? false;
  const client = createLocalClient(cli.sockets, options.runDir);
  const body = { forget: isForgetting };
  const byAgent = await client.call({ method: "POST", path: LOCAL_PATHS.down, body, reply: DownReply });
  const { removed } = byAgent ?? (await removeWithoutAgent(options, cli));
  const stopped = byAgent === null ? "" : "The agent has stopped. ";
  const what = removed.length === 0 ? "There was no interface of ours." : `Removed ${removed.join(", ")}.`;
  const next = isForgetting
    ? " This machine's identity is forgotten; remove the machine in the control plane too."
    : (await isEnrolled(options, cli))
      ? " This machine stays enrolled: `becket up` brings it back."
      : "";
  cli.print(`${stopped}${what}${next}`);
}

/** A file that can't be understood belongs to a machine that was enrolled. */
async function isEnrolled({ stateDir }: DownOptions, { agent }: CliPorts): Promise<boolean> {
  const { enrolment, isDamaged } = await createIdentityStore(agent.files, stateDir).readEnrolment();
  return enrolment !== null || isDamaged;
}

async function removeWithoutAgent(options: DownOptions, cli: CliPorts): Promise<DownReply> {
  const { files } = cli.agent;
  const lock = await takeNetwork(cli.sockets);
  const reconciler = createReconciler({ ...cli.agent, runDir: options.runDir, log: toDebugLogger(cli.agent.log) });
  try {
    const { links } = await reconciler.observe();
    await endBirds({ ...cli.agent, ...cli.agent.birdSockets }, toBirdFolder(options.runDir));
    await reconciler.removeEverything();
    await forgetAnnounced(files, options.runDir);
    if (options.forget) {
      for (const name of ["state.json", "meshes", "keys"]) await files.remove(`${options.stateDir}/${name}`);
      await files.remove(`${options.runDir}/keys`);
      await createIdentityStore(files, options.stateDir).forget();
    }
    return { removed: links.filter(isOurs).map(({ name }) => name) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT_CODES.failed, `Not everything could be removed: ${message}`, { cause: error });
  } finally {
    await reconciler.stop();
    await lock.close();
  }
}
