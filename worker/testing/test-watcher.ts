// Somebody who watches a mesh, for tests: straight at its object, with the header that the Worker sets, or by any other way in.
import { FromLiveMessage, type LiveChange, type LiveResource, type LiveTelemetry } from "#schema/live/messages";
import { TRUSTED_HEADERS } from "../auth/trusted-headers.ts";
import { type FakeSocket, openSocket } from "./fake-agent.ts";
import type { TestMesh } from "./test-mesh.ts";

export interface TestWatcher extends FakeSocket<FromLiveMessage> {
  /** The next change of this resource; what comes before it is skipped. */
  nextChange(resource: LiveResource): Promise<LiveChange>;
  nextTelemetry(): Promise<LiveTelemetry>;
}

export const fetchLive = (
  { mesh }: TestMesh,
  actor = "user:usr_test",
  { session, checkedAtMs = Date.now() }: { readonly session?: string; readonly checkedAtMs?: number } = {},
): Promise<Response> =>
  mesh.fetch(
    new Request("https://object.test/live", {
      headers: {
        ...{ upgrade: "websocket", [TRUSTED_HEADERS.watcher]: actor, [TRUSTED_HEADERS.requestId]: "req_test" },
        ...{ [TRUSTED_HEADERS.watcherCheckedAt]: String(checkedAtMs) },
        ...(session === undefined ? {} : { [TRUSTED_HEADERS.watcherSession]: session }),
      },
    }),
  );

/** It has been welcomed. */
export async function openWatcher(open: () => Promise<Response>): Promise<TestWatcher> {
  const socket = await openSocket(open, FromLiveMessage);
  const welcome = await socket.next();
  if (welcome.type !== "live.welcome") throw new Error(`${welcome.type} came first`);
  const changes: LiveChange[] = [];
  return {
    ...socket,
    async nextChange(resource) {
      for (;;) {
        const change = changes.shift();
        if (change?.resource === resource) return change;
        if (change !== undefined) continue;
        const message = await socket.next();
        if (message.type === "live.changed") changes.push(...message.changes);
      }
    },
    async nextTelemetry() {
      for (;;) {
        const message = await socket.next();
        if (message.type === "live.telemetry") return message;
      }
    },
  };
}

export const watchMesh = (mesh: TestMesh, actor?: string): Promise<TestWatcher> =>
  openWatcher(() => fetchLive(mesh, actor));
