// Where a health check goes. Pure.
//
// Without a host it goes to this machine's own address in the mesh: that is how the other members reach the service, so one that listens
// on all addresses or on that one passes, and one on 127.0.0.1 only fails, as it does for them. Whoever means loopback writes it.
import type { HealthCheck } from "#schema/health-check";
import type { HttpQuestion } from "../system/probes/http-status.ts";
import type { SocketTarget } from "../system/probes/probes.ts";

type CheckOf<T extends HealthCheck["type"]> = Extract<HealthCheck, { readonly type: T }>;

/** `:6443`, `db.internal:5432` or `[fd00::1]:5432`. */
export function toSocketTarget(target: string, self: string): SocketTarget {
  const colon = target.lastIndexOf(":");
  return { host: unbracket(target.slice(0, colon)) || self, port: Number(target.slice(colon + 1)) };
}

/** `/healthz`, `:8080/healthz`, `host:8080/healthz` or a URL. */
export function toHttpQuestion({ type, target }: CheckOf<"http" | "https">, self: string): HttpQuestion {
  const isTls = type === "https";
  const [, authority = "", path = "/"] = /^(?:https?:\/\/)?([^/]*)(\/.*)?$/.exec(target) ?? [];
  const hasPort = /:\d+$/.test(authority);
  const standard = isTls ? 443 : 80;
  const { host, port } = toSocketTarget(hasPort ? authority : `${authority}:${standard}`, self);
  const name = host.includes(":") ? `[${host}]` : host;
  return { host, port, isTls, path, authority: port === standard ? name : `${name}:${port}` };
}

const unbracket = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");
