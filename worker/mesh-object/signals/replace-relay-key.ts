import { err, ok, type Result } from "#schema/result";
import type { Cause } from "../../outbox/cause.ts";
import { toAuditEntry } from "../audit-entry.ts";
import type { MeshServices } from "../create-mesh.ts";
import { readOpenMesh } from "../members.ts";
import type { NewKey } from "./relay-tickets.ts";

/** Nobody is told: a ticket says which key it is of, and a relay asks for it. */
export function replaceRelayKey(
  parts: Pick<MeshServices, "storage" | "outbox" | "relayTickets" | "randomBytes">,
  { made, cause }: { readonly made: NewKey; readonly cause: Cause },
  nowMs: number,
): Result<{ madeAtMs: number | null }, { readonly code: "mesh_not_found" }> {
  const { storage, outbox, relayTickets } = parts;
  const mesh = readOpenMesh(storage);
  if (mesh === null) return err({ code: "mesh_not_found" });
  if (relayTickets.replaceKey(made, nowMs)) {
    const change = { action: "relay_key.replaced", subjectId: mesh.settings.id, details: {}, cause, nowMs } as const;
    outbox.enqueue([toAuditEntry(parts, mesh, change)], nowMs);
  }
  return ok({ madeAtMs: relayTickets.readMadeAtMs() });
}
