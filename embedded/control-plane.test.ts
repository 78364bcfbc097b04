import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { takeLock } from "./state-lock.ts";
import { callApi, createStateFolder, startProcess } from "./testing/control-plane-process.ts";

const isRoot = process.getuid?.() === 0;
const start = (state: string, ...more: string[]) => startProcess(["--port", "0", "--state", state, "--json", ...more]);
const MESH = { name: "office", cidr: "10.1.0.0/16" };

describe("starting", () => {
  it("makes the owner's token at the first start, shows it once and keeps it where only the owner reads", async () => {
    const state = createStateFolder();
    const first = startProcess(["--port", "0", "--state", state]);
    await waitUntilAnswering(first.child);
    first.child.kill("SIGTERM");
    const token = readFileSync(path.join(state, "owner-token"), "utf8").trim();
    expect((await first.ended).stdout).toContain(token);
    expect(statSync(path.join(state, "owner-token")).mode & 0o777).toBe(0o600);

    const second = startProcess(["--port", "0", "--state", state]);
    await waitUntilAnswering(second.child);
    second.child.kill("SIGTERM");
    expect((await second.ended).stdout).not.toContain(token);
  });

  it("takes the owner's token from BECKET_OWNER_TOKEN, and writes it nowhere", async () => {
    const state = createStateFolder();
    const ownerToken = "a-token-of-the-operator";
    const { ready } = startProcess(["--port", "0", "--state", state, "--json"], {
      env: { BECKET_OWNER_TOKEN: ownerToken },
    });
    const { url } = await ready;
    expect((await callApi({ url, ownerToken }, "GET", "/meshes")).status).toBe(200);
    expect(() => readFileSync(path.join(state, "owner-token"))).toThrow("ENOENT");
  });

  it("serves the API, its reference with everything that the page loads, and a page for browsers", async () => {
    const { url } = await start(createStateFolder()).ready;
    const page = await (await fetch(`${url}/api/docs`)).text();
    for (const [, file] of page.matchAll(/(?:src|href)="(\/reference\/[^"]+)"/g)) {
      const response = await fetch(url + file);
      expect(response.status, file).toBe(200);
      expect(response.headers.get("content-type"), file).not.toContain("text/html");
      await response.body?.cancel();
    }
    const root = await fetch(`${url}/`);
    expect(root.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await root.text()).toContain("Becket");
  });

  it("describes its API in a valid OpenAPI 3.1 document", async () => {
    const { url } = await start(createStateFolder()).ready;
    const response = await fetch(`${url}/api/v1/openapi.json`);
    const validator = new Validator();
    // Parsed here: a text, the validator may take for the name of a file.
    expect(await validator.validate((await response.json()) as Record<string, unknown>)).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it.runIf(isRoot)("needs no network", async () => {
    const wrap = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
    const argv = ["--port", "0", "--state", createStateFolder(), "--json"];
    expect((await startProcess(argv, { wrap }).ready).url).toMatch(/^http:/);
  });
});

describe("the state", () => {
  it("survives SIGKILL: what was answered is there afterwards", async () => {
    const state = createStateFolder();
    const first = start(state);
    const before = await first.ready;
    const created = await callApi(before, "POST", "/meshes", MESH);
    expect(created.status).toBe(201);
    first.child.kill("SIGKILL");
    await first.ended;

    const after = await start(state).ready;
    expect(after.ownerToken).toBe(before.ownerToken);
    const { body } = await callApi(after, "GET", "/meshes");
    expect(body.items).toEqual([expect.objectContaining({ id: created.body.id, ...MESH })]);
    // The Mesh object has its state too.
    expect((await callApi(after, "GET", `/meshes/${created.body.id}/members`)).body.items).toEqual([]);
  });

  it("survives a stop and a start", async () => {
    const state = createStateFolder();
    const first = start(state);
    await callApi(await first.ready, "POST", "/meshes", MESH);
    first.child.kill("SIGTERM");
    expect(await first.ended).toMatchObject({ code: 0, signal: null });
    expect((await callApi(await start(state).ready, "GET", "/meshes")).body.items).toHaveLength(1);
  });

  it("is refused to a second control plane while the first one runs", async () => {
    const state = createStateFolder();
    const { pid } = await start(state).ready;
    const second = await start(state).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`is used by process ${pid}`);
  });

  it("holds what is of use only while it runs, and what a killed one left of that goes at the next start", async () => {
    const state = createStateFolder();
    const elsewhere = createStateFolder();
    const env = { TMPDIR: elsewhere };
    const first = startProcess(["--port", "0", "--state", state, "--json"], { env });
    await first.ready;
    const left = readdirSync(path.join(state, "tmp"));
    first.child.kill("SIGKILL");
    await first.ended;
    expect(left).toEqual([expect.stringMatching(/^miniflare-/)]);

    const second = startProcess(["--port", "0", "--state", state, "--json"], { env });
    await second.ready;
    expect(readdirSync(path.join(state, "tmp"))).toEqual([expect.not.stringMatching(left[0] ?? "")]);
    second.child.kill("SIGTERM");
    await second.ended;
    expect(readdirSync(path.join(state, "tmp"))).toEqual([]);
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});

describe("what it cannot do is said in one line", () => {
  const expectRefusal = async (argv: string[], message: RegExp, env: Record<string, string> = {}) => {
    const { code, stderr } = await startProcess(argv, { env }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  };

  it("a port in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    await expectRefusal(["--port", String(port), "--state", createStateFolder()], /something listens on .* already/);
    server.close();
  });

  it("an address that is not this machine's", () =>
    expectRefusal(["--host", "192.0.2.1", "--port", "0", "--state", createStateFolder()], /cannot listen on/));

  it("a state folder that is no folder", async () => {
    const file = path.join(createStateFolder(), "file");
    writeFileSync(file, "");
    await expectRefusal(["--port", "0", "--state", file], /state folder .* is not usable/);
  });

  it("a state folder where the kernel makes none", () =>
    expectRefusal(["--port", "0", "--state", "/proc/becket/state"], /state folder .* is not usable: ENOENT/));

  it("a file of its own that cannot be written once everything runs, which ends then and lets the state go", async () => {
    const state = createStateFolder();
    mkdirSync(path.join(state, "url"));
    await expectRefusal(["--port", "0", "--state", state], /state folder .* is not usable: EISDIR.*url/);
    const lock = takeLock(state);
    expect(lock.ok).toBe(true);
    if (lock.ok) lock.release();
  });

  it.runIf(isRoot)("a full disk, which has no half of an owner token then", async () => {
    const state = createStateFolder();
    // One page, which the name of the lock's holder takes.
    const script =
      'mount -t tmpfs -o size=4k tmpfs "$0" || exit; "$@"; code=$?; ls "$0" | grep owner-token; exit $code';
    const argv = ["--port", "0", "--state", state];
    const { code, stdout, stderr } = await startProcess(argv, { wrap: ["unshare", "-m", "sh", "-c", script, state] })
      .ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^becket: the state folder .* is not usable: ENOSPC: [^\n]+\n$/);
  });

  it("an owner token that can be guessed", () =>
    expectRefusal(["--port", "0", "--state", createStateFolder()], /at least 16 characters/, {
      BECKET_OWNER_TOKEN: "short",
    }));

  it("an origin that is none, in the environment", () =>
    expectRefusal(["--state", createStateFolder()], /is no origin/, { BECKET_ORIGIN: "https://becket.test/path" }));

  it("STUN servers that are none, as an option or in the environment", async () => {
    const args = ["--port", "0", "--state", createStateFolder()];
    await expectRefusal([...args, "--stun-servers", "stun.becket.test"], /"stun.becket.test" is no STUN server/);
    await expectRefusal(args, /at most 8 STUN servers/, { BECKET_STUN_SERVERS: Array(9).fill("a:1").join() });
  });

  it("a port that is none", async () => {
    const { code, stderr } = await startProcess(["--port", "http"]).ended;
    expect(code).toBe(1);
    expect(stderr).toContain("must be a port");
  });
});

describe("the end", () => {
  it("comes with the parent's when --exit-with-parent says so, and the runtime goes too", async () => {
    const wrap = ["sh", "-c", '"$@" & wait', "sh"];
    const shell = startProcess(["--port", "0", "--state", createStateFolder(), "--json", "--exit-with-parent"], {
      wrap,
    });
    const { url, pid } = await shell.ready;
    shell.child.kill("SIGKILL");
    await expectGone(pid);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("leaves no runtime behind after SIGKILL", async () => {
    const process_ = start(createStateFolder());
    const { url, pid } = await process_.ready;
    process.kill(pid, "SIGKILL");
    await process_.ended;
    const deadline = Date.now() + 5_000;
    while (
      await fetch(url).then(
        () => true,
        () => false,
      )
    ) {
      if (Date.now() > deadline) throw new Error("the runtime still answers");
      await delay(20);
    }
  });
});

/** Ready means that it said where it listens. */
function waitUntilAnswering(child: ReturnType<typeof startProcess>["child"]): Promise<void> {
  return new Promise((resolve) => {
    child.stdout?.on("data", (chunk) => String(chunk).includes("listens on") && resolve());
  });
}

async function expectGone(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    if (Date.now() > deadline) throw new Error(`process ${pid} still runs`);
    await delay(20);
  }
}
