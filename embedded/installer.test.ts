// /install.sh and the agent that it names, as machines get them.
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { createStateFolder, startProcess } from "./testing/control-plane-process.ts";

it("serves an installer that knows where it came from, and the agent whose hash is in it", async () => {
  const { url } = await startProcess(["--port", "0", "--state", createStateFolder(), "--json"]).ready;
  const script = await fetch(`${url}/install.sh`);
  expect(script.headers.get("content-type")).toContain("text/x-shellscript");
  expect(script.headers.get("cache-control")).toBe("no-store");
  const text = await script.text();
  const constant = (name: string) => new RegExp(`^${name}='([^']*)'$`, "m").exec(text)?.[1];
  expect(constant("ORIGIN")).toBe(url);
  expect(text).not.toMatch(/@[A-Z0-9_]+@/);

  const agent = await fetch(`${url}/install/${constant("AGENT_FILE")}`);
  expect(agent.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  expect(agent.headers.get("x-content-type-options")).toBe("nosniff");
  const bytes = Buffer.from(await agent.arrayBuffer());
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(constant("AGENT_SHA256"));
  expect(bytes.toString("latin1")).toMatch(/^#!\/usr\/bin\/env node\n/);
});
