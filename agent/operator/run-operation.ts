// One command from what was written to what is printed.

import type { z } from "zod";
import { listMachines } from "#schema/api/machines";
import { describeIssue } from "#schema/describe-issue";
import { CommandFailure, EXIT_CODES } from "../local/exit-codes.ts";
import type { Http } from "../system/http.ts";
import type { ApiClient, Input } from "./api-client.ts";
import type { Verb } from "./commands.ts";
import type { Field, Fields } from "./fields.ts";
import { parseValue } from "./parse-value.ts";
import { renderItem, renderList } from "./render-reply.ts";
import { resolveName } from "./resolve-name.ts";

export interface OperatorPorts {
  readonly http: Http;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly userAgent: string;
  readonly now: () => number;
  /** Rejects with CommandFailure when it can't be read. */
  readFile(file: string): Promise<string>;
  readStdin(): Promise<string>;
  print(text: string): void;
}

/** As commander hands options over: by camel-cased flag. */
export type Written = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface RunInput {
  readonly api: ApiClient;
  readonly verb: Verb;
  readonly fields: Fields;
  readonly args: readonly string[];
  readonly written: Written & { readonly json?: boolean };
  readonly ports: OperatorPorts;
}

export async function runOperation({ api, verb, fields, args, written, ports }: RunInput): Promise<void> {
  const { operation, columns } = verb;
  const given = [
    ...fields.positional.map((field, index) => [field, args[index]] as const),
    ...fields.options.map((field) => [field, written[toProperty(field.flag)]] as const),
  ];
  const input = await toInput(api, given, ports);
  checkBody(operation.body, input);
  const isList = columns !== undefined;
  const reply = isList ? await api.list(operation, input) : await api.call(operation, input);
  if (reply === null) return;
  if (written.json) return ports.print(JSON.stringify(reply, null, 2));
  if (!isList) return ports.print(renderItem(reply));
  const items = reply.items as readonly Item[];
  ports.print(renderList(columns.includes("machineIds") ? await nameMachines(api, items) : items, columns));
}

type Item = Readonly<Record<string, unknown>>;

/** People know machines by their names. */
async function nameMachines(api: ApiClient, items: readonly Item[]): Promise<Item[]> {
  const { items: machines } = await api.list(listMachines);
  const names = new Map((machines as { id: string; name: string }[]).map(({ id, name }) => [id, name]));
  return items.map((item) => ({
    ...item,
    machineIds: (item.machineIds as string[]).map((id) => names.get(id) ?? id),
  }));
}

const toProperty = (flag: string): string => flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

type Given = readonly (readonly [Field, string | boolean | readonly string[] | undefined])[];

async function toInput(api: ApiClient, given: Given, ports: OperatorPorts): Promise<Input> {
  const places = { path: {}, query: {}, body: {} } as Record<Field["place"], Record<string, unknown>>;
  // The mesh first: names of routes and VIPs are looked up in it.
  const inOrder = given.toSorted(([one], [other]) => Number(other.key === "meshId") - Number(one.key === "meshId"));
  for (const [field, text] of inOrder) {
    if (text === undefined) continue;
    const value = parseValue(field, await readFileIfNamed(field, text, ports));
    if (!value.ok) throw new CommandFailure(EXIT_CODES.usage, `${field.flag} ${value.error}`);
    places[field.place][field.key] = await toIds(api, field, value.value, places.path.meshId);
  }
  const hasBody = given.some(([{ place }]) => place === "body");
  return { params: places.path, query: places.query, ...(hasBody ? { body: places.body } : {}) };
}

async function readFileIfNamed(field: Field, text: string | boolean | readonly string[], ports: OperatorPorts) {
  return field.kind === "json" && typeof text === "string" && text.startsWith("@")
    ? await ports.readFile(text.slice(1))
    : text;
}

async function toIds(api: ApiClient, { reference }: Field, value: unknown, meshId: unknown): Promise<unknown> {
  if (reference === null || value === null) return value;
  const isInMesh = reference === "route" || reference === "vip";
  const resolve = (name: unknown) =>
    resolveName(api, { reference, name: String(name), ...(isInMesh ? { meshId } : {}) });
  return Array.isArray(value) ? await Promise.all(value.map(resolve)) : await resolve(value);
}

/** What the control plane would refuse is refused here, in the words of the command line. */
function checkBody(schema: z.ZodObject | undefined, { body }: Input): void {
  const parsed = schema?.safeParse(body ?? {});
  if (parsed === undefined || parsed.success) return;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "it"} ${describeIssue(issue)}`);
  throw new CommandFailure(EXIT_CODES.usage, problems.join("; "));
}
