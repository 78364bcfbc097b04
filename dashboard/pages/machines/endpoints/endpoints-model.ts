// A machine's endpoints as one sees them: the same address in several meshes is one line, the newest first.
import type { ObservedEndpoint } from "#schema/path";

export interface EndpointRow extends ObservedEndpoint {
  readonly meshNames: readonly string[];
}

export function toEndpointRows(
  endpoints: readonly ObservedEndpoint[],
  meshNames: ReadonlyMap<string, string>,
): EndpointRow[] {
  const rows = new Map<string, EndpointRow>();
  for (const endpoint of endpoints) {
    const key = [endpoint.type, endpoint.address, endpoint.observedBy].join(" ");
    const meshName = meshNames.get(endpoint.meshId) ?? endpoint.meshId;
    const known = rows.get(key);
    rows.set(key, known === undefined ? { ...endpoint, meshNames: [meshName] } : join(known, endpoint, meshName));
  }
  return [...rows.values()].sort((a, b) => b.lastSeen.localeCompare(a.lastSeen) || a.address.localeCompare(b.address));
}

const join = (row: EndpointRow, { firstSeen, lastSeen }: ObservedEndpoint, meshName: string): EndpointRow => ({
  ...row,
  firstSeen: firstSeen < row.firstSeen ? firstSeen : row.firstSeen,
  lastSeen: lastSeen > row.lastSeen ? lastSeen : row.lastSeen,
  meshNames: [...new Set([...row.meshNames, meshName])],
});
