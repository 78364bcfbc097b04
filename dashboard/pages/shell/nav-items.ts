// The places of the dashboard. Who may not ask for a place's list does not see it.
import { KeyRound, ListFilter, type LucideIcon, Network, ScrollText, Server, Ticket, Users } from "lucide-react";
import { listApiTokens } from "#schema/api/api-tokens";
import { listAuditEvents } from "#schema/api/audit-events";
import { listJoinTokens } from "#schema/api/join-tokens";
import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import { listPolicySets } from "#schema/api/policy-sets";
import { listUsers } from "#schema/api/users";

export interface NavItem {
  readonly to: "/machines" | "/meshes" | "/policy-sets" | "/join-tokens" | "/api-tokens" | "/users" | "/audit";
  readonly label: string;
  readonly icon: LucideIcon;
  readonly operationId: string;
}

const ITEMS: readonly NavItem[] = [
  { to: "/machines", label: "Machines", icon: Server, operationId: listMachines.id },
  { to: "/meshes", label: "Meshes", icon: Network, operationId: listMeshes.id },
  { to: "/policy-sets", label: "Policy sets", icon: ListFilter, operationId: listPolicySets.id },
  { to: "/join-tokens", label: "Join tokens", icon: Ticket, operationId: listJoinTokens.id },
  { to: "/api-tokens", label: "API tokens", icon: KeyRound, operationId: listApiTokens.id },
  { to: "/users", label: "Users", icon: Users, operationId: listUsers.id },
  { to: "/audit", label: "Audit", icon: ScrollText, operationId: listAuditEvents.id },
];

/** As many as fit on a phone's bar; the others stand in its last place, a menu. */
export const BAR_ITEMS = 3;

export const toNavItems = (permissions: readonly string[]): readonly NavItem[] =>
  ITEMS.filter(({ operationId }) => permissions.includes(operationId));
