// What the API answers, for people: a table for a list, a line for each field otherwise. Pure.
import { toHarmless } from "#schema/spoken-text";
import { renderTable } from "../local/render-table.ts";

type Item = Readonly<Record<string, unknown>>;

/** `lastSeenAt` → `LAST SEEN`. */
const toTitle = (key: string): string =>
  key
    .replace(/^is(?=[A-Z])/, "")
    .replace(/(Ids?|At)$/, (end) => (key === end.toLowerCase() ? end : ""))
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter}`)
    .toUpperCase();

export function renderList(items: readonly Item[], columns: readonly string[]): string {
  if (items.length === 0) return "There is none.";
  const titles = columns.map((key) => ({ title: toTitle(key) }));
  return renderTable(
    titles,
    items.map((item) => columns.map((key) => renderValue(item[key]))),
  );
}

export function renderItem(item: Item): string {
  const entries = Object.entries(item);
  const width = Math.max(...entries.map(([key]) => key.length)) + 2;
  return entries.map(([key, value]) => `${key.padEnd(width)}${renderValue(value)}`.trimEnd()).join("\n");
}

function renderValue(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(renderValue).join(", ");
  return toHarmless(typeof value === "object" ? renderObject(value as Item) : String(value));
}

/** What people know it by; the whole of it where there is no such thing. */
function renderObject(value: Item): string {
  if (typeof value.meshName === "string") return `${value.address} (${value.meshName})`;
  if (typeof value.name === "string") return value.name;
  if (typeof value.message === "string") return value.message;
  if (typeof value.type === "string" && typeof value.target === "string") return `${value.type} ${value.target}`;
  const entries = Object.entries(value);
  return entries.every(([, one]) => typeof one === "number")
    ? entries.map(([key, one]) => `${key} ${one}`).join(", ")
    : JSON.stringify(value);
}
