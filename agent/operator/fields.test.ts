import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { addMember } from "#schema/api/members";
import { createMesh, deleteMesh, updateMesh } from "#schema/api/meshes";
import type { Operation } from "#schema/api/operation";
import { createRoute, deleteRoute } from "#schema/api/routes";
import { COMMANDS, WITHOUT_COMMAND } from "./commands.ts";
import { toFields } from "./fields.ts";
import { parseValue } from "./parse-value.ts";

const namesOf = (operation: Operation) => {
  const { positional, options } = toFields(operation);
  return [positional.map(({ flag }) => flag), options.map(({ flag }) => flag)];
};
const fieldOf = (operation: Operation, key: string) => {
  const { positional, options } = toFields(operation);
  const field = [...positional, ...options].find((one) => one.key === key);
  if (field === undefined) throw new Error(`there is no ${key}`);
  return field;
};

it("has a command for every operation of the API that is not for browsers, once", async () => {
  const folder = path.resolve(import.meta.dirname, "../../schema/api");
  const files = readdirSync(folder).filter((file) => !file.endsWith(".test.ts"));
  const modules = await Promise.all(files.map((file) => import(path.join(folder, file))));
  const isOperation = (one: unknown): one is Operation =>
    typeof one === "object" && one !== null && "method" in one && "summary" in one;
  const all = modules.flatMap((module) => Object.values(module).filter(isOperation)).map(({ id }) => id);
  const known = Object.values(COMMANDS).flatMap((verbs) => Object.values(verbs).map(({ operation }) => operation.id));
  expect([...known, ...WITHOUT_COMMAND].sort()).toEqual(all.sort());
});

it("gives no two fields of a command one flag, and none that every command has", () => {
  for (const [noun, verbs] of Object.entries(COMMANDS)) {
    for (const [word, { operation }] of Object.entries(verbs)) {
      const flags = namesOf(operation).flat();
      expect(new Set([...flags, "url", "token-file", "json", "help"]).size, `${noun} ${word}`).toBe(flags.length + 4);
    }
  }
});

it("takes what a command is about as an argument, and the mesh that it is in as an option", () => {
  expect(namesOf(createMesh)[0]).toEqual(["name"]);
  expect(namesOf(deleteMesh)).toEqual([["mesh"], ["force"]]);
  expect(namesOf(deleteRoute)).toEqual([["route"], ["mesh"]]);
  expect(namesOf(addMember)).toEqual([["machine"], ["mesh", "address"]]);
  expect(namesOf(createRoute)[1]).toEqual(
    expect.arrayContaining(["mesh", "prefix", "machine", "masquerading", "allows-default-route", "health-check"]),
  );
});

it("knows what is required, on by default, a choice, a name", () => {
  expect(fieldOf(createRoute, "prefixes")).toMatchObject({ kind: "list", isRequired: true });
  expect(fieldOf(createRoute, "enabled")).toMatchObject({ kind: "boolean", isOnByDefault: true, isRequired: false });
  expect(fieldOf(createMesh, "fallback").choices).toContain("relay-then-transit");
  expect(fieldOf(updateMesh, "importPolicySetId")).toMatchObject({ reference: "policySet", isNullable: true });
  expect(fieldOf(deleteMesh, "force")).toMatchObject({ kind: "boolean", place: "query" });
});

it("reads lists, numbers, JSON and none as the API takes them, and says what is none of them", () => {
  expect(parseValue(fieldOf(createRoute, "prefixes"), ["10.1.0.0/24, 10.2.0.0/24", "10.3.0.0/24"])).toEqual({
    ok: true,
    value: ["10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24"],
  });
  expect(parseValue(fieldOf(createRoute, "machineIds"), ["none"])).toEqual({ ok: true, value: [] });
  expect(parseValue(fieldOf(updateMesh, "importPolicySetId"), "none")).toEqual({ ok: true, value: null });
  expect(parseValue(fieldOf(createMesh, "asn"), "4200000001")).toEqual({ ok: true, value: 4_200_000_001 });
  expect(parseValue(fieldOf(createMesh, "asn"), "many")).toEqual({ ok: false, error: "must be a number" });
  expect(parseValue(fieldOf(createRoute, "healthCheck"), '{"type":"tcp"}')).toMatchObject({ value: { type: "tcp" } });
  expect(parseValue(fieldOf(createRoute, "healthCheck"), "tcp")).toMatchObject({ ok: false });
  expect(parseValue(fieldOf(deleteMesh, "force"), true)).toEqual({ ok: true, value: "true" });
});
