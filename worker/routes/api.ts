// /api/v1: every operation, the OpenAPI document of them, and 405 for what is no method of a path.
import { Hono } from "hono";
import type { Operation } from "#schema/api/operation";
import { toProblemResponse } from "../problem.ts";
import type { Services } from "../services.ts";
import { mountAnnouncements } from "./announcements.ts";
import { mountAuditEvents } from "./audit-events.ts";
import { mountMachines } from "./machines.ts";
import { mountMembers } from "./members.ts";
import { mountMeshes } from "./meshes.ts";
import { mountOpenOperation, type OpenHandler } from "./mount-open-operation.ts";
import { type Api, type Handler, mountOperation, toRoutePath } from "./mount-operation.ts";
import { mountUpgrade, type UpgradeHandler } from "./mount-upgrade.ts";
import { renderOpenApi } from "./openapi.ts";
import { mountPolicySets } from "./policy-sets.ts";
import { mountRollouts } from "./rollouts.ts";
import { mountSignIn } from "./sign-in.ts";
import { mountTokens } from "./tokens.ts";
import { mountUsers } from "./users.ts";

export type Mount = <const O extends Operation>(operation: O, handler: Handler<O>) => void;
export type MountUpgrade = <const O extends Operation>(operation: O, handler: UpgradeHandler<O>) => void;
export type MountOpen = <const O extends Operation>(operation: O, handler: OpenHandler<O>) => void;

export function createApi(services: Services): Api {
  const api: Api = new Hono();
  const methods = new Map<string, string[]>([["/openapi.json", ["GET"]]]);
  const operations: Operation[] = [];
  const note = (operation: Operation) => {
    operations.push(operation);
    const others = methods.get(operation.path) ?? [];
    methods.set(operation.path, [...others, operation.method.toUpperCase()]);
  };
  const mount: Mount = (operation, handler) => {
    note(operation);
    mountOperation(api, services, operation, handler);
  };
  const mountOpen: MountOpen = (operation, handler) => {
    note(operation);
    mountOpenOperation(api, services, operation, handler);
  };
  const mountWebSocket: MountUpgrade = (operation, handler) => {
    note(operation);
    mountUpgrade(api, services, operation, handler);
  };
  mountMeshes({ mount, mountUpgrade: mountWebSocket }, services);
  mountMembers(mount, services);
  mountAnnouncements(mount, services);
  mountPolicySets(mount, services);
  mountMachines(mount, services);
  mountRollouts(mount, services);
  mountTokens(mount, services);
  mountAuditEvents(mount, services);
  mountUsers(mount, services);
  mountSignIn({ mount, mountOpen, operations }, services);

  let document: string | null = null;
  api.get("/openapi.json", () => {
    document ??= renderOpenApi(operations);
    return new Response(document, { headers: { "content-type": "application/json", "cache-control": "no-cache" } });
  });
  for (const [path, allowed] of methods) {
    api.all(toRoutePath(path), (context) =>
      toProblemResponse({ code: "method_not_allowed" }, context.env.requestId, { allow: allowed.join(", ") }),
    );
  }
  return api;
}
