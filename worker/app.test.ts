import { describe, expect, it } from "vitest";
import { createTestApp, ORIGIN, OWNER_TOKEN, parseProblem } from "./testing/create-test-app.ts";

const app = createTestApp();
const authorization = `Bearer ${OWNER_TOKEN}`;
const json = { authorization, "content-type": "application/json" };

describe("every answer", () => {
  it("carries a request id, the date and the security headers", async () => {
    const response = await app.fetch("/api/v1/meshes", { headers: { authorization } });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9a-z]{26}$/);
    expect(Math.abs(Date.parse(response.headers.get("date") ?? "") - Date.now())).toBeLessThan(5_000);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("does not take a request id from the client", async () => {
    const response = await app.fetch("/api/v1/meshes", { headers: { authorization, "x-request-id": "mine" } });
    expect(response.headers.get("x-request-id")).not.toBe("mine");
  });
});

describe("what is no operation", () => {
  it.each(["/api/v1/nothing", "/api/v2/meshes", "/api", "/agent/v1/nothing", "/api/v1/meshes/"])(
    "answers 404 on %s",
    async (path) => {
      const problem = await parseProblem(await app.fetch(path));
      expect(problem.code).toBe("not_found");
    },
  );

  it("answers 405 and says what is allowed", async () => {
    const response = await app.fetch("/api/v1/meshes", { method: "PUT" });
    expect(response.headers.get("allow")).toBe("GET, POST");
    expect((await parseProblem(response)).code).toBe("method_not_allowed");
    const enrolment = await app.fetch("/agent/v1/enrolments");
    expect(enrolment.headers.get("allow")).toBe("POST");
    expect((await parseProblem(enrolment)).code).toBe("method_not_allowed");
  });
});

describe("the dashboard's addresses", () => {
  const pages = createTestApp({
    assets: { fetch: async (request) => new Response(`${request.method} ${new URL(request.url).pathname}`) },
  });

  it.each(["/machines", "/machines/mch_1/peers", "/sign-in?error=not_allowed"])(
    "are all its one page: %s",
    async (path) => {
      const response = await pages.fetch(path);
      expect(await response.text()).toBe("GET /");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    },
  );

  it.each(["/assets/index-old.js", "/assets/gone", "/favicon.gone", "/.env"])(
    "are no files that are gone: %s",
    async (path) => expect((await parseProblem(await pages.fetch(path))).code).toBe("not_found"),
  );

  it("take nothing", async () => {
    expect((await parseProblem(await pages.fetch("/machines", { method: "POST" }))).code).toBe("not_found");
  });
});

describe("bodies", () => {
  const post = (body: BodyInit, headers: Record<string, string> = json) =>
    app.fetch("/api/v1/meshes", { method: "POST", headers, body });

  it("refuses JSON that is broken, and bytes that are no UTF-8", async () => {
    expect((await parseProblem(await post("{"))).code).toBe("malformed_json");
    expect((await parseProblem(await post(new Uint8Array([0x22, 0xff, 0x22])))).code).toBe("malformed_json");
  });

  it("refuses another content type", async () => {
    const problem = await parseProblem(await post("{}", { authorization, "content-type": "text/plain" }));
    expect(problem.code).toBe("unsupported_media_type");
  });

  it("refuses a body over the limit, announced or not", async () => {
    const big = JSON.stringify({ name: "x".repeat(70_000) });
    expect((await parseProblem(await post(big))).code).toBe("body_too_large");
    const stream = new Blob([big]).stream();
    expect((await parseProblem(await post(stream))).code).toBe("body_too_large");
  });

  it("names every field at fault", async () => {
    const problem = await parseProblem(await post(JSON.stringify({ name: "Not A Name", cidr: "8.8.8.0/24" })));
    expect(problem.code).toBe("validation_failed");
    expect(problem.errors?.map(({ path }) => path)).toEqual(["name", "cidr"]);
  });

  it("calls the body itself at fault when it is no object", async () => {
    const problem = await parseProblem(await post("[]"));
    expect(problem.errors?.map(({ path }) => path)).toEqual(["body"]);
  });
});

describe("the reference", () => {
  it("serves a page that loads scripts from this origin only", async () => {
    const response = await app.fetch("/api/docs");
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self';");
    const page = await response.text();
    expect([...page.matchAll(/(?:src|href)="([^"]+)"/g)].every(([, url]) => url?.startsWith("/"))).toBe(true);
    expect(page).not.toContain(ORIGIN);
  });
});
