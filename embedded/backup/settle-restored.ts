// What a restored D1 must not take up again: what is used once may have been used since the backup, and people may have signed out. Runs once, after the
// migrations and before the port opens; an interruption does it again, which changes nothing.
import type { Generation } from "#schema/generation";
import { ID_PREFIXES, renderUlid } from "#schema/ids";
import type { RestoredNote } from "#schema/local/backup";
import type { MigratedDatabase } from "../apply-migrations.ts";

export async function settleRestored(db: MigratedDatabase, { generation, ...note }: RestoredNote): Promise<void> {
  const at = Date.parse(note.restoredAt);
  const details = JSON.stringify({ backupCreatedAt: note.backupCreatedAt });
  const run = (sql: string, ...values: unknown[]) => db.prepare(sql).bind(...values);
  await db.batch([
    run("DELETE FROM sessions"),
    run("DELETE FROM login_links"),
    // Those without a limit are not used up: they are for fleets, and for as long as somebody chose.
    run("UPDATE join_tokens SET revoked_at = ? WHERE revoked_at IS NULL AND max_uses IS NOT NULL", at),
    run(
      `INSERT OR IGNORE INTO audit_events (id, at, actor_kind, actor_id, actor_name, action, subject_id, mesh_id, details, request_id)
        VALUES (?, ?, 'system', NULL, 'control plane', 'control_plane.restored', ?, NULL, ?, ?)`,
      ...[toEventId(at, generation), at, generation, details, `restore-${generation}`],
    ),
  ] as never[]);
}

/** The same each time, so that the trail has it once. */
const toEventId = (at: number, generation: Generation): string =>
  ID_PREFIXES.auditEvent + renderUlid(at, Buffer.from(generation.padEnd(16, "0")));
