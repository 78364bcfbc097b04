// The real app on the real migrations and objects, in workerd. Calls go by operation: replies are parsed with the operation's own schema and
// errors as problem documents, so every test checks the contract on its way.
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { z } from "zod";
import { createApiToken } from "#schema/api/api-tokens";
import { type Operation, Problem, type Role } from "#schema/api/operation";
import type { AgentBuild } from "#schema/rollout";
import { createApp } from "../app.ts";
import { createServices, type Services } from "../services.ts";

export const ORIGIN = "https://becket.test";
export const OWNER_TOKEN = "owner-token-of-the-tests";

/** The agent that the control plane of the tests hands out. */
export const TEST_BUILD: AgentBuild = { version: "0.2.0", sha256: "b".repeat(64) };

export interface TestCall {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Whose token is sent: a role, a token as it is, or none. The owner's when left out. */
  readonly as?: Role | { readonly token: string | null };
}

export interface TestAnswer<Reply> {
  readonly status: number;
  readonly headers: Headers;
  /** Of a success. Reading it of an error fails the test. */
  readonly reply: Reply;
  /** Of an error. Reading it of a success fails the test. */
  readonly problem: Problem;
}

export type ReplyOf<O extends Operation> = O extends { readonly reply: infer S extends z.ZodType } ? z.output<S> : null;

export function createTestApp(overrides: Partial<Services> = {}) {
  const services: Services = {
    ...createServices({ ...env, BECKET_OWNER_TOKEN: OWNER_TOKEN, BECKET_LOG_LEVEL: "error" }),
    agentBuild: { read: async () => TEST_BUILD, recent: async () => TEST_BUILD },
    ...overrides,
  };
  const app = createApp(services);
  const tokens = new Map<Role, Promise<string>>();

  const fetch = (path: string, init?: RequestInit) => app.fetch(new Request(ORIGIN + path, init));

  async function tokenOf(caller: TestCall["as"]): Promise<string | null> {
    if (caller === undefined) return OWNER_TOKEN;
    if (typeof caller === "object") return caller.token;
    const made = tokens.get(caller) ?? makeToken(caller);
    tokens.set(caller, made);
    return made;
  }

  const makeToken = async (role: Role) =>
    (await call(createApiToken, { body: { name: `${role} of the tests`, role } })).reply.token;

  async function call<const O extends Operation>(
    operation: O,
    request: TestCall = {},
  ): Promise<TestAnswer<ReplyOf<O>>> {
    const token = await tokenOf(request.as);
    const response = await fetch(toUrl(operation, request), {
      method: operation.method.toUpperCase(),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    return parseAnswer(operation, response);
  }

  return { services, fetch, call };
}

export type TestApp = ReturnType<typeof createTestApp>;

let counter = 0;
/** A name that no other test of the file has. */
export const uniqueName = (base: string): string => `${base}-${++counter}`;

export async function parseProblem(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = Problem.strict().parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get("x-request-id"));
  return problem;
}

export async function parseAnswer<O extends Operation>(
  operation: O,
  response: Response,
): Promise<TestAnswer<ReplyOf<O>>> {
  const { status, headers } = response;
  if (status >= 400) {
    const problem = await parseProblem(response);
    const describe = () => new Error(`${operation.id} answered ${status} ${problem.code}: ${problem.detail}`);
    return {
      status,
      headers,
      problem,
      get reply() {
        return fail(describe);
      },
    };
  }
  expect(status).toBe(operation.status);
  const text = await response.text();
  const reply = (operation.reply === undefined ? null : operation.reply.parse(JSON.parse(text))) as ReplyOf<O>;
  const describe = () => new Error(`${operation.id} answered ${status}: ${text}`);
  return {
    status,
    headers,
    reply,
    get problem() {
      return fail(describe);
    },
  };
}

function fail(describe: () => Error): never {
  throw describe();
}

export function toUrl({ path }: Operation, { params = {}, query = {} }: TestCall): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const search = new URLSearchParams(query).toString();
  return `/api/v1${filled}${search === "" ? "" : `?${search}`}`;
}
