import * as operations from "#schema/api/users";
import type { Services } from "../services.ts";
import { listSessions, revokeSession } from "../sessions/sessions.ts";
import { listUsers, removeUser, updateUser } from "../users/users.ts";
import type { Mount } from "./api.ts";

export function mountUsers(mount: Mount, services: Services): void {
  mount(operations.listUsers, ({ query }) => listUsers(services, query));
  mount(operations.updateUser, ({ params, body, cause }) =>
    updateUser(services, { userId: params.userId, change: body, cause }),
  );
  mount(operations.removeUser, ({ params, cause }) => removeUser(services, params.userId, cause));
  mount(operations.listSessions, ({ query, caller }) => listSessions(services, query, caller));
  mount(operations.revokeSession, ({ params, caller, cause }) =>
    revokeSession(services, params.sessionId, { caller, requestId: cause.requestId }),
  );
}
