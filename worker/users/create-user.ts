import type { Actor } from "#schema/api/audit-events";
import { Role } from "#schema/api/operation";
import { createAuditEvent } from "../audit/new-event.ts";
import { insertUser, type UserIdentity, type UserRecord } from "../db/users.ts";
import type { Services } from "../services.ts";

export interface NewPerson {
  readonly identity: UserIdentity;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  /** Becomes owner where there is none. */
  readonly mayBeFirstOwner: boolean;
  /** Null: the person came by themselves. */
  readonly actor: Actor | null;
  readonly requestId: string;
}

/** The user of this identity: the one that is there, else a new one. */
export function createUser(services: Pick<Services, "db" | "now" | "ids">, person: NewPerson): Promise<UserRecord> {
  const { identity, name, email, role, mayBeFirstOwner, requestId } = person;
  const id = services.ids.user();
  const actor = person.actor ?? { kind: "user", id, name };
  const toEvent = (as: Role) =>
    createAuditEvent(
      services,
      { actor, requestId },
      { action: "user.created", subjectId: id, details: { name, role: as } },
    );
  const events = new Map(Role.options.map((as) => [as, toEvent(as)]));
  const user = { id, ...identity, name, email, createdAt: services.now() };
  return insertUser(services.db, user, { role, mayBeFirstOwner, events });
}
