// Answers rib.request: one at a time for each mesh, in as many messages as the routes need.
import type { RibRoute } from "#schema/bgp";
import type { DesiredMesh } from "#schema/desired-state";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import type { RibReport, RibRequest } from "#schema/wire/messages";
import { NO_BIRD, type RoutingView } from "./routing-view.ts";

export interface RibReporter {
  receive(request: RibRequest): Promise<void>;
}

/** Of the routes in one message; as of telemetry, with room for its frame. */
const PART_BYTES = (MAX_MACHINE_MESSAGE_BYTES * 3) / 4;
/** More would only wait longer than whoever asks. */
const MAX_WAITING = 8;

export function createRibReporter(ports: {
  readonly view: Pick<RoutingView, "readRib">;
  readonly desired: () => DesiredMesh | null;
  readonly send: (report: RibReport) => void;
}): RibReporter {
  let waiting = 0;
  let turn: Promise<void> = Promise.resolve();

  async function answer({ requestId, prefix }: RibRequest): Promise<void> {
    const desired = ports.desired();
    if (desired === null) return;
    for (const report of toRibReports(requestId, await read(desired, prefix))) ports.send(report);
  }

  async function read(desired: DesiredMesh, prefix: RibRequest["prefix"]): Promise<Answer> {
    try {
      const rib = await ports.view.readRib(desired, prefix);
      return rib === null ? { ...NOTHING, problem: NO_BIRD } : { ...rib, problem: null };
    } catch (error) {
      return { ...NOTHING, problem: `BIRD does not answer: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  return {
    receive(request) {
      if (waiting >= MAX_WAITING) return turn;
      waiting++;
      turn = turn.then(() => answer(request)).finally(() => waiting--);
      return turn;
    },
  };
}

type Answer = Omit<RibReport, "type" | "requestId" | "routes" | "hasMore"> & { readonly routes: readonly RibRoute[] };
const NOTHING = { routes: [], isTruncated: false };

export function toRibReports(requestId: string, { routes, isTruncated, problem }: Answer): RibReport[] {
  const parts: RibRoute[][] = [[]];
  let bytes = 0;
  for (const route of routes) {
    const size = Buffer.byteLength(JSON.stringify(route));
    if (bytes + size > PART_BYTES && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(route);
    bytes += size;
  }
  return parts.map((part, index) => ({
    ...{ type: "rib.report", requestId, routes: part, isTruncated, problem },
    ...(index === parts.length - 1 ? {} : { hasMore: true }),
  }));
}
