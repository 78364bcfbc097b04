import { request } from "node:http";
import { StateCopy, StateCopyFailure } from "#schema/local/backup";
import { BackupError } from "./backup-error.ts";
import { COPIES_PATH } from "./copy-server.ts";
import { toShortPath } from "./short-path.ts";

/** Asks the control plane that runs on a state folder. */
export async function requestCopy(socketFile: string): Promise<StateCopy> {
  const { status, body } = await post(socketFile);
  if (status === 200) return StateCopy.parse(body);
  throw new BackupError(StateCopyFailure.safeParse(body).data?.message ?? `the control plane answered ${status}`);
}

function post(socketFile: string): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: toShortPath(socketFile), path: COPIES_PATH, method: "POST" }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body: parse(text) }));
      response.on("error", reject);
    });
    outgoing.on("error", (error) => reject(toBackupError(error)));
    outgoing.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const toBackupError = (error: Error): BackupError =>
  new BackupError(
    `the control plane on this state can't be asked for a copy (${error.message}): it is starting, or of a version without backups; try again, or stop it first`,
    { cause: error },
  );
