// The socket in the state folder by which a backup asks the control plane for a copy. Who reaches it may read the folder anyway.
import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { z } from "zod";
import type { StateCopy, StateCopyFailure } from "#schema/local/backup";
import { type CopiedFolders, copyState } from "./copy-state.ts";
import { whileFrozen } from "./freeze.ts";
import { toShortPath } from "./short-path.ts";

export interface CopyServer {
  close(): void;
}

export const COPIES_PATH = "/copies";

export async function serveCopies(socketFile: string, folders: CopiedFolders): Promise<CopyServer> {
  /** One after the other: the end of one freeze would end another's too. */
  let last: Promise<unknown> = Promise.resolve();
  const copy = async (): Promise<StateCopy> => {
    const startedAt = performance.now();
    const made = await whileFrozen(() => copyState(folders));
    return { ...made, frozenMs: performance.now() - startedAt };
  };
  const server = createServer((request, response) => {
    const answer = (status: number, body: StateCopy | z.infer<typeof StateCopyFailure>) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.method !== "POST" || request.url !== COPIES_PATH) {
      answer(404, { message: `ask for a copy with POST ${COPIES_PATH}` });
      return;
    }
    const turn = last.then(copy);
    last = turn.catch(() => undefined);
    turn.then(
      (made) => answer(200, made),
      (error: unknown) => answer(500, { message: error instanceof Error ? error.message : String(error) }),
    );
  });
  // Of one that was killed.
  rmSync(socketFile, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(toShortPath(socketFile), resolve);
  });
  chmodSync(socketFile, 0o600);
  return {
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(socketFile, { force: true });
    },
  };
}
