// Routes and VIPs in people's words, and the draft of a health check as a form holds it.
import { HealthCheck } from "#schema/health-check";

export const CHECK_TYPES = ["tcp", "http", "https", "grpc", "grpcs", "exec"] as const;
export type CheckType = (typeof CHECK_TYPES)[number];

export const CHECK_LABELS: Readonly<
  Record<CheckType, { readonly label: string; readonly hint: string; readonly example: string }>
> = {
  tcp: { label: "TCP", hint: ":port of the machine itself, or host:port.", example: ":5432" },
  http: { label: "HTTP", hint: "A path, :port/path or a URL. An answer 2xx is a success.", example: ":8080/healthz" },
  https: { label: "HTTPS", hint: "A path, :port/path or a URL. An answer 2xx is a success.", example: ":8443/healthz" },
  grpc: { label: "gRPC", hint: "Asks grpc.health.v1 at :port or host:port.", example: ":50051" },
  grpcs: { label: "gRPC over TLS", hint: "Asks grpc.health.v1 at :port or host:port.", example: ":50051" },
  exec: {
    label: "Program",
    hint: "An absolute path and its arguments, run as root without a shell. Exit code 0 is a success.",
    example: "/usr/bin/pg_isready -q",
  },
};

/** A check as typed: everything is text, and `none` is no check. */
export interface CheckDraft {
  readonly type: CheckType | "none";
  readonly target: string;
  readonly intervalSeconds: string;
  readonly timeoutSeconds: string;
  readonly healthyThreshold: string;
  readonly unhealthyThreshold: string;
  readonly holdoffSeconds: string;
}

const NEW_DRAFT: CheckDraft = {
  type: "none",
  target: "",
  intervalSeconds: "5",
  timeoutSeconds: "3",
  healthyThreshold: "2",
  unhealthyThreshold: "3",
  holdoffSeconds: "0",
};

export function toCheckDraft(check: HealthCheck | null): CheckDraft {
  if (check === null) return NEW_DRAFT;
  return {
    type: check.type,
    target: check.type === "exec" ? check.target.join(" ") : check.target,
    intervalSeconds: String(check.intervalSeconds),
    timeoutSeconds: String(check.timeoutSeconds),
    healthyThreshold: String(check.healthyThreshold),
    unhealthyThreshold: String(check.unhealthyThreshold),
    holdoffSeconds: String(check.holdoffSeconds),
  };
}

export type ParsedCheck =
  | { readonly ok: true; readonly check: HealthCheck | null }
  | { readonly ok: false; readonly errors: Readonly<Record<string, string>> };

export function parseCheckDraft({ type, target, ...timing }: CheckDraft): ParsedCheck {
  if (type === "none") return { ok: true, check: null };
  const numbers = Object.fromEntries(Object.entries(timing).map(([name, text]) => [name, toNumber(text)]));
  const parsed = HealthCheck.safeParse({
    type,
    target: type === "exec" ? target.trim().split(/\s+/) : target.trim(),
    ...numbers,
  });
  if (parsed.success) return { ok: true, check: parsed.data };
  return {
    ok: false,
    errors: Object.fromEntries(parsed.error.issues.map(({ path, message }) => [String(path[0]), message])),
  };
}

const toNumber = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

/** `TCP :5432 every 5 s` */
export function describeCheck(check: HealthCheck | null): string | null {
  if (check === null) return null;
  const target = check.type === "exec" ? check.target.join(" ") : check.target;
  return `${CHECK_LABELS[check.type].label} ${target}, every ${check.intervalSeconds} s`;
}

/** Prefixes as typed: one a line, or with commas or blanks between. */
export const splitPrefixes = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
