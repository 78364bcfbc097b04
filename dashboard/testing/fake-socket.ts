// The other end of a page's WebSockets, for tests.
import type { FromLiveMessage, LiveTelemetry, LiveWatch } from "#schema/live/messages";
import { LiveTelemetry as TelemetrySchema } from "#schema/live/messages";
import { LIVE_VERSION } from "#schema/live/version";
import type { OpenSocket, SocketListener } from "../browser/open-web-socket.ts";

export const MESH = "msh_01arz3ndektsv4rrffq69g5fav";
export const OTHER_MESH = "msh_01arz3ndektsv4rrffq69g5faw";
export const MACHINE = "mch_01arz3ndektsv4rrffq69g5fav";
export const OTHER_MACHINE = "mch_01arz3ndektsv4rrffq69g5faw";

export interface FakeSocket {
  readonly path: string;
  isOpen: boolean;
  /** What the page sent, but for pings. */
  readonly watches: LiveWatch[];
  pings: number;
  welcome(): void;
  change(...changes: readonly [resource: string, machineIds?: readonly string[]][]): void;
  tell(message: FromLiveMessage | string): void;
  close(code: number): void;
}

export function createFakeSockets() {
  const sockets: FakeSocket[] = [];
  const openSocket: OpenSocket = (path, listener) => {
    const socket = createFakeSocket(path, listener);
    sockets.push(socket);
    return {
      send(text) {
        if (text === "ping") socket.pings += 1;
        else socket.watches.push(JSON.parse(text));
      },
      close() {
        socket.isOpen = false;
      },
    };
  };
  return { sockets, openSocket, listOpen: () => sockets.filter(({ isOpen }) => isOpen) };
}

function createFakeSocket(path: string, listener: SocketListener): FakeSocket {
  const tell = (message: object | string) =>
    listener.message(typeof message === "string" ? message : JSON.stringify(message));
  return {
    ...{ path, isOpen: true, watches: [], pings: 0, tell },
    welcome: () => tell({ type: "live.welcome", liveVersion: LIVE_VERSION, epoch: "e", revision: 1 }),
    change: (...changes) =>
      tell({
        type: "live.changed",
        revision: 2,
        changes: changes.map(([resource, machineIds = null]) => ({ resource, machineIds })),
      }),
    close(code) {
      this.isOpen = false;
      listener.closed(code);
    },
  };
}

/** A frame with one endpoint of each mesh that is named. */
export const createFrame = (
  meshIds: readonly string[] = [MESH],
  change: Partial<LiveTelemetry> = {},
): LiveTelemetry => ({
  ...TelemetrySchema.parse({
    ...{ type: "live.telemetry", machineId: MACHINE, receivedAt: 1, peers: [], explanations: [], nat: null },
    ...{ announcements: [], endpoints: meshIds.map((meshId) => createEndpoint(meshId)) },
  }),
  ...change,
});

export const createEndpoint = (meshId: string, address = "198.51.100.7:51820") => ({
  ...{ meshId, address, type: "host", observedBy: null },
  ...{ firstSeen: "2026-11-26T10:00:00.000Z", lastSeen: "2026-11-26T10:00:00.000Z" },
});
