// The socket in the state folder by which a backup asks the control plane for a copy. Who reaches it may read the folder anyway. A copy is the
// caller's for as long as it keeps the connection: one that is killed leaves nothing.
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
  let isClosing = false;
  const copy = async (): Promise<StateCopy> => {
    const startedAt = performance.now();
    const made = await whileFrozen(() => copyState(folders));
    return { ...made, frozenMs: performance.now() - startedAt };
  };
  const server = createServer((request, response) => {
    const refuse = (status: number, body: z.infer<typeof StateCopyFailure>) =>
      response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
    const hand = (made: StateCopy) => {
      const remove = () => {
        // While the control plane stops, who has a copy goes on with it; the next start removes what is left.
        if (!isClosing) rmSync(made.folder, { recursive: true, force: true });
      };
      if (response.destroyed) return remove();
      response.on("close", remove);
      response.writeHead(200, { "content-type": "application/json" }).write(`${JSON.stringify(made)}\n`);
    };
    if (request.method !== "POST" || request.url !== COPIES_PATH) {
      refuse(404, { message: `ask for a copy with POST ${COPIES_PATH}` });
      return;
    }
    const turn = last.then(copy);
    last = turn.catch(() => undefined);
    turn.then(hand, (error: unknown) =>
      refuse(500, { message: error instanceof Error ? error.message : String(error) }),
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
      isClosing = true;
      server.close();
      server.closeAllConnections();
      rmSync(socketFile, { force: true });
    },
  };
}
