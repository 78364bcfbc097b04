import { describe, expect, it } from "vitest";
import { readNodeBuilds, readParts } from "./build-installer.ts";
import { renderInstaller } from "./render-installer.ts";

const facts = { version: "0.1.0", agentFile: "becket-1.mjs", agentSha256: "ab", node: readNodeBuilds() };

describe("install.sh", () => {
  it("has a value in each place but the control plane's address", () => {
    const script = renderInstaller(readParts(), facts);
    expect(script.match(/@[A-Z0-9_]+@/g)).toEqual(["@ORIGIN@"]);
    expect(script).toContain("AGENT_FILE='becket-1.mjs'");
    expect(script).toContain("\nExecStart=/usr/local/bin/becket up\n");
    expect(script.trimEnd().split("\n").at(-1)).toBe('{ main "$@" </dev/null; exit; }');
  });

  it("is not made of what it does not know, nor of what would end the quotes", () => {
    const parts = { ...readParts(), script: ["X='@UNKNOWN@'"] };
    expect(() => renderInstaller(parts, facts)).toThrow("nothing goes there");
    expect(() => renderInstaller(readParts(), { ...facts, version: "1'; reboot; '" })).toThrow("can't be");
  });

  it("takes builds of Node.js by whole SHA-256 hashes", () => {
    for (const sum of Object.values(readNodeBuilds().sha256)) expect(sum).toMatch(/^[0-9a-f]{64}$/);
  });
});
