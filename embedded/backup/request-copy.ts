import { request } from "node:http";
import { StateCopy, StateCopyFailure } from "#schema/local/backup";
import { BackupError } from "./backup-error.ts";
import { COPIES_PATH } from "./copy-server.ts";
import { toShortPath } from "./short-path.ts";

export interface HeldCopy {
  readonly copy: StateCopy;
  /** The copy goes. */
  release(): void;
}

/** Asks the control plane that runs on a state folder. */
export async function requestCopy(socketFile: string): Promise<HeldCopy> {
  const { status, body, release } = await post(socketFile);
  if (status === 200) return { copy: StateCopy.parse(body), release };
  release();
  throw new BackupError(StateCopyFailure.safeParse(body).data?.message ?? `the control plane answered ${status}`);
}

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
  /** Ends the connection. */
  release(): void;
}

/** The answer is its first line: what holds the copy is that it has no end. */
function post(socketFile: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: toShortPath(socketFile), path: COPIES_PATH, method: "POST" }, (response) => {
      let text = "";
      const answer = () =>
        resolve({ status: response.statusCode, body: parse(text), release: () => outgoing.destroy() });
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
        if (text.includes("\n")) answer();
      });
      response.on("end", answer);
      // Once there is an answer, this says that the control plane ended.
      response.on("error", (error) => reject(toBackupError(error)));
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
