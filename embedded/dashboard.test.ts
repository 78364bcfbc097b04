// The dashboard as browsers get it: its page at every address of its own, and headers that keep it to itself.
import { describe, expect, it } from "vitest";
import { createStateFolder, startProcess } from "./testing/control-plane-process.ts";

const start = async () =>
  (await startProcess(["--port", "0", "--state", createStateFolder(), "--json", "--stun-servers", "none"]).ready).url;

describe("the dashboard", () => {
  it("is one page, the same at each of its addresses, and lets nothing in from elsewhere", async () => {
    const url = await start();
    for (const address of ["/", "/machines", "/meshes/msh_1/settings?x=y"]) {
      const response = await fetch(url + address);
      expect(response.status, address).toBe(200);
      expect(response.headers.get("content-type"), address).toContain("text/html");
      expect(toPolicy(response), address).toMatchObject({
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
      });
      expect(response.headers.get("x-content-type-options"), address).toBe("nosniff");
      expect(response.headers.get("referrer-policy"), address).toBe("no-referrer");
      expect(response.headers.get("cache-control"), address).toContain("must-revalidate");
      const page = await response.text();
      expect(page, address).toContain('<div id="root">');
      expect(page.match(/<script(?![^>]* src="\/)[^>]*>|<style|(?:src|href)="(?!\/)/g), address).toBeNull();
    }
  });

  it("has its files kept for good, and never a page in the place of one that is gone", async () => {
    const url = await start();
    const page = await (await fetch(url)).text();
    const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const response = await fetch(url + file);
      expect(response.status, file).toBe(200);
      expect(response.headers.get("cache-control"), file).toBe("public, max-age=31536000, immutable");
      await response.body?.cancel();
    }
    const gone = await fetch(`${url}/assets/index-gone.js`);
    expect(gone.status).toBe(404);
    expect(gone.headers.get("cache-control")).toBe("no-store");
  });
});

const toPolicy = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries(
    (headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
      const [name = "", ...values] = directive.split(" ");
      return [name, values.join(" ")];
    }),
  );
