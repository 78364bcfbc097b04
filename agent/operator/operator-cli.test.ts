// Operators' commands against the control plane as it runs.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli } from "../local/cli.ts";
import { createFiles } from "../system/files.ts";
import { createHttp } from "../system/http.ts";
import { createLocalSockets } from "../system/local-socket.ts";
import { type EmbeddedPlane, startEmbeddedPlane } from "../testing/embedded-plane.ts";
import { createTestWorld, type TestWorld } from "../testing/test-machine.ts";

/** Starts the control plane. */
const START_MS = 60_000;

let plane: EmbeddedPlane;
let world: TestWorld;
let folder: string;

beforeAll(async () => {
  [plane, world] = await Promise.all([startEmbeddedPlane(), createTestWorld()]);
  folder = mkdtempSync(path.join(tmpdir(), "becket-operator-"));
}, START_MS);
afterAll(async () => {
  await Promise.all([plane?.close(), world?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function becketWith(env: Record<string, string>, ...args: string[]) {
  const [printed, errors]: [string[], string[]] = [[], []];
  const code = await runCli(args, {
    agent: { ...world.machine.ports, files: createFiles(), http: createHttp({}) },
    sockets: createLocalSockets(folder),
    listenHttp: () => Promise.reject(new Error("no agent runs here")),
    env,
    isRoot: false,
    stopSignal: new AbortController().signal,
    readStdin: async () => `${plane.ownerToken}\n`,
    print: (text) => printed.push(text),
    printError: (text) => errors.push(text),
  });
  return { code, out: printed.join("\n"), error: errors.join("\n") };
}

const becket = (...args: string[]) =>
  becketWith({ BECKET_URL: plane.url, BECKET_API_TOKEN: plane.ownerToken }, ...args);
const read = async (...args: string[]) => JSON.parse((await becket(...args, "--json")).out);

it("makes, lists, changes and deletes by name", async () => {
  expect(await read("mesh", "create", "office", "--cidr", "10.77.0.0/16", "--default")).toMatchObject({
    name: "office",
    isDefault: true,
  });
  const check = path.join(folder, "check.json");
  writeFileSync(check, JSON.stringify({ type: "tcp", target: ":5432" }));
  const vip = ["--mesh", "office", "--address", "10.77.200.1", "--machine", "none", "--health-check", `@${check}`];
  expect(await read("vip", "create", "db", ...vip, "--no-enabled")).toMatchObject({
    enabled: false,
    healthCheck: { type: "tcp" },
  });
  expect((await becket("vip", "list", "--mesh", "office")).out).toMatch(/^NAME .*\ndb +10\.77\.200\.1 .*tcp :5432/);
  expect(await becket("vip", "delete", "db", "--mesh", "office")).toEqual({ code: 0, out: "", error: "" });
  expect((await becket("vip", "list", "--mesh", "office")).out).toBe("There is none.");
  expect((await read("mesh", "update", "office", "--name", "bureau", "--no-default")).isDefault).toBe(false);
  expect((await read("token", "create", "--mesh", "bureau", "--max-uses", "1")).token).toMatch(/^bkj_/);
  const { items } = await read("audit", "list", "--action", "vip.deleted");
  expect(items).toHaveLength(1);
});

it("says what is wrong in the words of the command line, or of the control plane", async () => {
  await becket("mesh", "create", "depot", "--cidr", "10.79.0.0/16");
  const taken = await becket("mesh", "create", "depot", "--cidr", "10.80.0.0/16");
  expect(taken).toEqual({ code: 1, out: "", error: "becket: name: there is a mesh named depot already (name_taken)" });
  expect(await becket("mesh", "create", "shop", "--cidr", "10.78/16")).toMatchObject({
    code: 2,
    error: "becket: cidr must be an IPv4 network like 10.1.0.0/16, with no bit set behind its length",
  });
  expect((await becket("machine", "show", "nobody")).error).toBe('becket: there is no machine named "nobody"');
  expect((await becket("mesh", "update", "depot", "--fallback", "none")).error).toContain("relay-then-transit");
  expect((await becket("vip", "list")).error).toContain("--mesh");
});

it("starts no roll-out without machines, and tells of the last one without its id", async () => {
  expect((await becket("rollout", "start", "--at-once", "2")).error).toContain("(nothing_to_upgrade)");
  expect((await becket("rollout", "status")).error).toBe("becket: there was no roll-out yet");
  expect((await becket("rollout", "list")).out).toBe("There is none.");
  expect((await becket("rollout", "start", "--at-once", "0")).code).toBe(2);
});

it("takes the token from the environment, a file or standard input, and shows it nowhere", async () => {
  const { url, ownerToken } = plane;
  const file = path.join(folder, "token");
  writeFileSync(file, `${ownerToken}\n`);
  for (const from of [file, "-"])
    expect((await becketWith({}, "me", "show", "--url", url, "--token-file", from)).out).toContain("owner");
  const refused = await becketWith({ BECKET_URL: url, BECKET_API_TOKEN: "bkt_wrong" }, "mesh", "list");
  expect(refused).toMatchObject({ code: 1, error: expect.stringContaining("(unauthenticated)") });
  expect(refused.error).not.toContain("bkt_wrong");
  expect(await becketWith({ BECKET_URL: url }, "mesh", "list")).toMatchObject({
    code: 2,
    error: expect.stringContaining("BECKET_API_TOKEN"),
  });
  expect(await becketWith({ BECKET_API_TOKEN: ownerToken }, "mesh", "list")).toMatchObject({ code: 2 });
  const silent = { BECKET_URL: "http://127.0.0.1:9", BECKET_API_TOKEN: ownerToken };
  expect((await becketWith(silent, "mesh", "list")).error).toContain("http://127.0.0.1:9 does not answer");
});

it("says which help to look at", async () => {
  expect((await becket("mesh", "show")).error).toContain("(becket mesh show --help shows how)");
  expect((await becket("mesh", "lst")).error).toMatch(/Did you mean list\?[\s\S]*\(becket mesh --help shows how\)/);
  expect((await becket("--help")).out).toMatch(/^ {2}completion /m);
});

it("changes a mesh by its name, whatever is done to it", async () => {
  await becket("mesh", "create", "keys", "--cidr", "10.81.0.0/16");
  expect((await becket("mesh", "rotate-relay-key", "keys")).code).toBe(0);
  expect(await becket("mesh", "delete", "keys")).toMatchObject({ code: 0 });
});
