import { beforeAll, describe, expect, it } from "vitest";
import { ERROR_STATUS } from "#schema/errors";
import { LIVE_CLOSE_CODES } from "#schema/live/close-codes";
import { LIVE_RESOURCES } from "#schema/live/messages";
import { ALL_OPERATIONS } from "../testing/all-operations.ts";
import { createTestApp } from "../testing/create-test-app.ts";
import { listErrorCodes } from "./describe-operation.ts";

interface Described {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { readonly name?: string; readonly required?: boolean; readonly schema?: Json }[];
  readonly responses: Readonly<Record<string, Response>>;
}
interface Response {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: unknown;
}
type Json = Readonly<Record<string, unknown>>;
interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly [kind: string]: Readonly<Record<string, unknown>>;
  };
}

let text: string;
let document: Document;
beforeAll(async () => {
  const response = await createTestApp().fetch("/api/v1/openapi.json");
  expect(response.headers.get("content-type")).toBe("application/json");
  text = await response.text();
  document = JSON.parse(text);
});

describe("the OpenAPI document", () => {
  it("has every operation of schema/api and no other", () => {
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.sort()).toEqual(ALL_OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort());
    expect(described).toMatchSnapshot();
  });

  it.each(ALL_OPERATIONS)("tells what $id answers, with every code of an error under its status", (operation) => {
    const described = document.paths[operation.path]?.[operation.method];
    expect(described?.operationId).toBe(operation.id);
    expect(document.tags.map(({ name }) => name)).toContain(described?.tags[0]);
    expect(described?.responses[operation.status]?.content === undefined).toBe(operation.reply === undefined);
    for (const code of listErrorCodes(operation)) {
      expect(resolve(described?.responses[ERROR_STATUS[code]])?.description).toContain(`\`${code}\``);
      expect(document.components.examples?.[code]).toMatchObject({ value: { code, status: ERROR_STATUS[code] } });
    }
  });

  it("says in a few words of its own what each operation does, and in more what a summary leaves out of a WebSocket", () => {
    const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const summaries = all.map(({ summary = "" }) => summary);
    expect(summaries.filter((summary) => !/^[A-Z].{3,60}[^.]$/.test(summary))).toEqual([]);
    expect(new Set(summaries).size).toBe(summaries.length);
    const { description = "" } = document.paths["/meshes/{meshId}/live"]?.get ?? {};
    for (const word of [...LIVE_RESOURCES, "seenMark", "anything", ...Object.values(LIVE_CLOSE_CODES)]) {
      expect(description).toContain(String(word));
    }
  });

  it("says each shape once, by its name", () => {
    const names = ["Mesh", "Machine", "Member", "JoinToken", "ApiToken", "AuditEvent", "Problem", "Warning"];
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(names));
    expect(document.components.schemas.ErrorCode?.enum).toEqual(Object.keys(ERROR_STATUS));
    const mesh = document.components.schemas.MeshPage?.properties as { items: Json };
    expect(mesh.items).toMatchObject({ type: "array", items: { $ref: "#/components/schemas/Mesh" } });
  });

  it("refers only to what is there", () => {
    const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/([\w-]+)"/g)];
    expect(references).toHaveLength(text.split('"$ref"').length - 1);
    for (const [reference, kind = "", name = ""] of references) {
      expect(document.components[kind], reference).toHaveProperty(name);
    }
  });

  it("says what every field and every parameter means", () => {
    const silent = Object.entries(document.components.schemas).flatMap(([name, { properties }]) =>
      Object.entries((properties ?? {}) as Record<string, Json>)
        .filter(([, field]) => !isDescribed(field))
        .map(([field]) => `${name}.${field}`),
    );
    expect(silent).toEqual([]);
    const parameters = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).flatMap((operation) => operation.parameters.filter((parameter) => !("$ref" in parameter))),
    );
    expect(parameters.filter((parameter) => !("description" in parameter))).toEqual([]);
  });

  it("gives query parameters the types they mean", () => {
    const parameterOf = (path: string, method: string, name: string) =>
      document.paths[path]?.[method]?.parameters.find((parameter) => parameter.name === name);
    expect(parameterOf("/meshes/{meshId}", "delete", "force")).toMatchObject({
      required: false,
      schema: { type: "boolean", default: false },
    });
    expect(parameterOf("/meshes", "get", "limit")).toMatchObject({ schema: { type: "integer", default: 100 } });
    expect(parameterOf("/meshes/{meshId}", "get", "meshId")).toMatchObject({ required: true });
  });
});

/** What refers to a component is described there. */
const isDescribed = (field: Json): boolean => "description" in field || "$ref" in field;

function resolve(response: Response | undefined): Response | undefined {
  const name = response?.$ref?.split("/").at(-1);
  return name === undefined ? response : (document.components.responses?.[name] as Response);
}
