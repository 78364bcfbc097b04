// What a machine reports while somebody looks, for tests.
import { Endpoint } from "#schema/address";
import type { MachineId, MeshId } from "#schema/ids";
import type { PeerExplanation } from "#schema/path";
import type { TelemetryReport } from "#schema/wire/messages";

const AT = "2026-11-25T10:00:00.000Z";
const ENDPOINT = Endpoint.parse("198.51.100.7:51820");

export const createExplanation = (
  meshId: MeshId,
  machineId: MachineId,
  change: Partial<PeerExplanation> = {},
): PeerExplanation => ({
  ...{ meshId, machineId, name: "peer", status: "up", path: "direct", gatewayId: null, endpoint: ENDPOINT },
  ...{ handshakeAgeSeconds: 12, latencyMs: 8.5, lossRatio: 0, rxBytesPerSecond: 100, txBytesPerSecond: 200 },
  bgp: { state: "established", since: AT, lastError: null },
  reason: { code: "direct", message: "direct: a check was answered in 8.5 ms" },
  candidates: [{ endpoint: ENDPOINT, type: "stun", outcome: "answered", roundTripMs: 8.5, lastTriedAt: AT }],
  ...{ inDoubt: false, localNat: null, peerNat: null, nextTryAt: null, since: AT },
  ...change,
});

export const createReport = (
  meshId: MeshId,
  peerIds: readonly MachineId[],
  change: Partial<TelemetryReport> = {},
): TelemetryReport => ({
  type: "telemetry.report",
  peers: peerIds.map((machineId) => createExplanation(meshId, machineId)),
  endpoints: [{ meshId, address: ENDPOINT, type: "stun", observedBy: "192.0.2.1:3478", firstSeen: AT, lastSeen: AT }],
  nat: {
    at: AT,
    udp: { ipv4: true, ipv6: false },
    ...{ mapping: "endpoint-independent", filtering: "address-and-port-dependent" },
    ...{ preservesPort: true, hairpinning: false, mappingLifetimeSeconds: null, publicAddresses: [] },
    portMapping: { protocols: [], endpoints: [], problem: null },
    stun: [],
    checksProblem: null,
  },
  announcements: [],
  isSteady: true,
  ...change,
});
