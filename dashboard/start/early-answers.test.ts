import { describe, expect, it } from "vitest";
import { createEarlyFetch } from "./early-answers.ts";

const GET = { method: "GET", headers: { accept: "application/json" } };

function createFake(...paths: string[]) {
  const becketAnswers = new Map(paths.map((path) => [path, Promise.resolve(new Response("early"))]));
  const early = createEarlyFetch(async () => new Response("asked"), { becketAnswers });
  return async (path: string, init: RequestInit = GET) => (await early(path, init)).text();
}

describe("an early answer", () => {
  it("is given once, to who asks the same", async () => {
    const fetch = createFake("/api/v1/me", "/api/v1/meshes?limit=100");
    expect(await fetch("/api/v1/meshes")).toBe("asked");
    expect(await fetch("/api/v1/me")).toBe("early");
    expect(await fetch("/api/v1/me")).toBe("asked");
    expect(await fetch("/api/v1/meshes?limit=100")).toBe("early");
  });

  it("is nobody's who comes with a token, nor who asks after that", async () => {
    const fetch = createFake("/api/v1/me");
    expect(await fetch("/api/v1/me", { ...GET, headers: { Authorization: "Bearer bkt_x" } })).toBe("asked");
    expect(await fetch("/api/v1/me")).toBe("asked");
  });

  it("is old when something was sent: somebody may have signed in", async () => {
    const fetch = createFake("/api/v1/me");
    expect(await fetch("/api/v1/session", { method: "POST" })).toBe("asked");
    expect(await fetch("/api/v1/me")).toBe("asked");
  });
});

it("fetches as ever where nothing was asked early", async () => {
  const fetch = createEarlyFetch(async () => new Response("asked"), {});
  expect(await (await fetch("/api/v1/me", GET)).text()).toBe("asked");
});
