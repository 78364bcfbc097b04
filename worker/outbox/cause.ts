// Why something changes: travels with every change into the audit trail.
import type { Actor } from "#schema/api/audit-events";

export interface Cause {
  readonly actor: Actor;
  readonly requestId: string;
}
