// What a machine tells of its BIRD's routes, for tests.
import type { RibRoute } from "#schema/bgp";
import type { MachineId } from "#schema/ids";
import { Prefix } from "#schema/prefix";
import type { RibReport, RibRequest } from "#schema/wire/messages";

export const createRibRoute = (machineId: MachineId, change: Partial<RibRoute> = {}): RibRoute => ({
  prefix: Prefix.parse("192.168.7.0/24"),
  nextHop: "10.1.0.3",
  origin: { machineId, name: "by its own word" },
  source: { kind: "peer", protocol: machineId, machineId, name: "by its own word", meshId: null },
  ...{ asPath: [], localPreference: 100, med: null, communities: [], isBest: true, filterReason: null },
  since: "2026-11-25T10:00:00.000Z",
  ...change,
});

export const createRibReport = (
  { requestId }: Pick<RibRequest, "requestId">,
  routes: readonly RibRoute[],
  change: Partial<RibReport> = {},
): RibReport => ({
  ...{ type: "rib.report", requestId, routes: [...routes], isTruncated: false, problem: null },
  ...change,
});
