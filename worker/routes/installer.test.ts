import { describe, expect, it } from "vitest";
import { createLogger } from "../log.ts";
import { createTestApp, ORIGIN, parseProblem } from "../testing/create-test-app.ts";

const assets = {
  fetch: async (request: Request) =>
    new URL(request.url).pathname === "/install-script.txt"
      ? new Response("#!/bin/sh\nORIGIN='@ORIGIN@'\n# of @ORIGIN@\n")
      : new Response(null, { status: 404 }),
};
const app = createTestApp({ assets });

describe("/install.sh", () => {
  it("is a script with the control plane's address in it, kept by nobody", async () => {
    const response = await app.fetch("/install.sh");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/x-shellscript; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toBe(`#!/bin/sh\nORIGIN='${ORIGIN}'\n# of ${ORIGIN}\n`);
  });

  it("has the public address where that is set, whatever a client calls it", async () => {
    const behindProxy = createTestApp({ assets, origin: "https://becket.example.org" });
    expect(await (await behindProxy.fetch("/install.sh")).text()).toContain("ORIGIN='https://becket.example.org'");
  });

  it.each(["https://x';reboot;'", "https://$(reboot)", "https://a`reboot`", "https://x&reboot"])(
    "has no address that a shell would run: %s",
    async (origin) => {
      const hostile = createTestApp({ assets, origin });
      expect((await parseProblem(await hostile.fetch("/install.sh"))).code).toBe("bad_request");
    },
  );

  it.each(["http://[2001:db8::1]:8080", "http://control_plane:8080", "https://xn--bcher-kva.example"])(
    "has an address like %s",
    async (origin) => {
      expect(await (await createTestApp({ assets, origin }).fetch("/install.sh")).text()).toContain(`'${origin}'`);
    },
  );

  it("is an error, not half a script, when it was not built", async () => {
    const unbuilt = createTestApp({
      assets: { fetch: async () => new Response(null, { status: 404 }) },
      log: createLogger("error", () => undefined),
    });
    expect((await parseProblem(await unbuilt.fetch("/install.sh"))).code).toBe("internal_error");
    expect((await app.fetch("/install.sh", { method: "POST" })).status).toBe(405);
  });
});
