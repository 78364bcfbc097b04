// A machine's peers: found, in order, counted; and what was measured of each while the page was open.
import type { PathKind, PeerConnectivity, PeerTelemetry } from "#schema/path";
import { parseSorting } from "../../../components/table/columns.ts";
import { compareKeys, type SortKey, toNaturalKey } from "../../../lib/sort-keys.ts";
import type { PeerSearch } from "./peer-search.ts";

export const DEFAULT_PEER_SORT = "name";

export const toPeerKey = ({ meshId, machineId }: Pick<PeerTelemetry, "meshId" | "machineId">): string =>
  `${meshId}~${machineId}`;

export function selectPeers(
  peers: readonly PeerTelemetry[],
  { q = "", status, path, sort }: PeerSearch,
): PeerTelemetry[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = peers.filter(
    (peer) =>
      (status === undefined || peer.status === status) &&
      (path === undefined || peer.path === path) &&
      words.every((word) => `${peer.name} ${peer.endpoint ?? ""} ${peer.machineId}`.toLowerCase().includes(word)),
  );
  return sortPeers(found, sort ?? DEFAULT_PEER_SORT);
}

/** What needs looking at comes first. */
const STATUS_ORDER: readonly PeerConnectivity[] = ["down", "connecting", "up", "idle"];
const PATH_ORDER: readonly PathKind[] = ["direct", "relayed", "transit", "none"];

const toName = ({ name }: PeerTelemetry): string => toNaturalKey(name);

const KEYS: Readonly<Record<string, (peer: PeerTelemetry) => SortKey>> = {
  name: toName,
  status: ({ status }) => STATUS_ORDER.indexOf(status),
  path: ({ path }) => PATH_ORDER.indexOf(path),
  latency: ({ latencyMs }) => latencyMs ?? Number.MAX_VALUE,
  loss: ({ lossRatio }) => -(lossRatio ?? -1),
  handshake: ({ handshakeAgeSeconds }) => handshakeAgeSeconds ?? Number.MAX_VALUE,
  traffic: ({ rxBytesPerSecond, txBytesPerSecond }) => -(rxBytesPerSecond + txBytesPerSecond),
};

function sortPeers(peers: readonly PeerTelemetry[], sort: string): PeerTelemetry[] {
  const { columnId, isDescending } = parseSorting(sort);
  const key = KEYS[columnId] ?? toName;
  const sign = isDescending ? -1 : 1;
  const keyed = peers.map((peer) => ({ peer, key: key(peer), name: toName(peer) }));
  keyed.sort((a, b) => sign * compareKeys(a.key, b.key) || compareKeys(a.name, b.name));
  return keyed.map(({ peer }) => peer);
}

export type PathCounts = Readonly<Record<PathKind, number>>;

export function countPaths(peers: readonly PeerTelemetry[]): PathCounts {
  const counts = { direct: 0, relayed: 0, transit: 0, none: 0 };
  for (const { path } of peers) counts[path] += 1;
  return counts;
}

export interface PeerSample {
  readonly latencyMs: number | null;
  readonly lossRatio: number | null;
  readonly rxBytesPerSecond: number;
  readonly txBytesPerSecond: number;
}
export type PeerHistories = ReadonlyMap<string, readonly PeerSample[]>;

/** Two minutes, where the machine tells every second. */
export const MAX_SAMPLES = 120;

/** The histories with what was just measured: peers that went are forgotten. */
export function addSamples(histories: PeerHistories, peers: readonly PeerTelemetry[]): PeerHistories {
  return new Map(
    peers.map((peer) => {
      const { latencyMs, lossRatio, rxBytesPerSecond, txBytesPerSecond } = peer;
      const sample = { latencyMs, lossRatio, rxBytesPerSecond, txBytesPerSecond };
      const key = toPeerKey(peer);
      return [key, [...(histories.get(key) ?? []), sample].slice(-MAX_SAMPLES)];
    }),
  );
}
