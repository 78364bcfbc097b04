// Which of the machines that announce a route or VIP the members of the mesh send to: BGP's own decision (RFC 4271, 9.1), as BIRD makes it
// between routes that all have an empty AS path and come by iBGP. Pure. A member's own import policy may have it decide otherwise.

import { evaluatePolicy } from "#schema/evaluate-policy";
import type { MachineId } from "#schema/ids";
import type { PolicyRules } from "#schema/policy";
import type { Prefix } from "#schema/prefix";

export interface Announcer {
  readonly machineId: MachineId;
  /** The number of its address in the mesh's network: its BIRD's router id is that address. */
  readonly host: number;
  /** What it does with what it announces; null: nothing. */
  readonly exportPolicy: PolicyRules | null;
}

/** RFC 4271 leaves it open; BIRD's, and so everybody's here. */
const DEFAULT_LOCAL_PREFERENCE = 100;

export function findHolder(announcers: readonly Announcer[], prefix: Prefix): MachineId | null {
  const routes = announcers.flatMap((announcer) => toRoute(announcer, prefix));
  const [best] = routes.sort(
    (one, other) => other.localPreference - one.localPreference || one.med - other.med || one.host - other.host,
  );
  return best?.machineId ?? null;
}

/** As others hear it; none when its own policy keeps it back. */
function toRoute({ machineId, host, exportPolicy }: Announcer, prefix: Prefix) {
  const own = { prefix, asPath: [], communities: [], localPreference: null, med: null };
  if (exportPolicy === null) return [{ machineId, host, localPreference: DEFAULT_LOCAL_PREFERENCE, med: 0 }];
  const { action, route } = evaluatePolicy(exportPolicy, own);
  if (action === "reject") return [];
  return [{ machineId, host, localPreference: route.localPreference ?? DEFAULT_LOCAL_PREFERENCE, med: route.med ?? 0 }];
}
