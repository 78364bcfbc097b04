// An audit event in words: what happened to what, and the details in a line.
import type { AuditAction, AuditEvent } from "#schema/api/audit-events";
import { formatMoment } from "../../lib/format.ts";

const NOUNS: Readonly<Record<string, string>> = {
  vip: "VIP",
  api_token: "API token",
  join_token: "join token",
  login_link: "sign-in link",
};

/** `join_token.created` → `Join token created` */
export function describeAction(action: AuditAction): string {
  const [noun = "", verb = ""] = action.split(".");
  const text = `${NOUNS[noun] ?? noun.replaceAll("_", " ")} ${verb}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The name of what changed, if the details tell one. */
export const toSubjectName = ({ details }: Pick<AuditEvent, "details">): string | null =>
  typeof details.name === "string"
    ? details.name
    : typeof details.machineName === "string"
      ? details.machineName
      : null;

const MAX_VALUE_LENGTH = 80;

/**
 * `cidr: 10.1.0.0/16, isDefault: true`; what stands elsewhere is left out.
 * @param names of what ids stand for
 */
export function describeDetails({ details }: Pick<AuditEvent, "details">, names: Names = new Map()): string {
  return Object.entries(details)
    .filter(([name]) => name !== "name" && name !== "machineName")
    .map(([name, value]) => `${name}: ${cut(renderValue(value, names))}`)
    .join(", ");
}

const MOMENT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

type Names = ReadonlyMap<string, string>;

function renderValue(value: unknown, names: Names): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return names.get(value) ?? (MOMENT.test(value) ? formatMoment(value) : value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.map((item) => names.get(item) ?? item).join(" ") || "none";
  }
  if (Array.isArray(value)) return `${value.length}`;
  if (typeof value === "object") return renderParts(value, names);
  return String(value);
}

/** `type http, target :8008/primary` */
const renderParts = (value: object, names: Names): string =>
  Object.entries(value)
    .map(([name, part]) => `${name} ${renderValue(part, names)}`)
    .join(", ");

const cut = (text: string): string => (text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text);
