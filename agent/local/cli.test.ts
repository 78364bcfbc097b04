import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentStatus, ExplainReply, NetcheckReply, PeerList, RoutesReply, VersionInfo } from "#schema/local/status";
import { CommandError, type Exec } from "../system/exec.ts";
import { createFiles } from "../system/files.ts";
import { createLocalSockets } from "../system/local-socket.ts";
import { testPeer } from "../testing/mesh-model.ts";
import { createTestWorld, TEST_TOKEN, type TestWorld } from "../testing/test-machine.ts";
import { type CliPorts, runCli } from "./cli.ts";

let world: TestWorld;
let runDir: string;
let stop: AbortController;
let daemons: Promise<unknown>[];

beforeEach(async () => {
  world = await createTestWorld();
  runDir = mkdtempSync(path.join(tmpdir(), "becket-run-"));
  stop = new AbortController();
  daemons = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(daemons);
  await world.close();
  rmSync(runDir, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function becket(args: readonly string[], changes: Partial<CliPorts> = {}): Promise<Outcome> {
  const printed: string[] = [];
  const errors: string[] = [];
  const isUnknown = args.length === 0 || args[0]?.startsWith("-") || args[0] === "nonsense";
  const folders = isUnknown ? [] : ["--state-dir", "/state", "--run-dir", runDir];
  const code = await runCli([...args.slice(0, 1), ...folders, ...args.slice(1)], {
    agent: world.machine.ports,
    sockets: createLocalSockets(runDir),
    listenHttp: () => Promise.reject(Object.assign(new Error("taken"), { code: "EADDRINUSE" })),
    env: {},
    isRoot: true,
    stopSignal: stop.signal,
    readStdin: async () => "",
    print: (text) => printed.push(text),
    printError: (text) => errors.push(text),
    ...changes,
  });
  return { code, out: printed.join("\n"), error: errors.join("\n") };
}

/** A daemon that is in sync. */
async function startDaemon(): Promise<{ readonly end: Promise<Outcome> }> {
  world.mesh.model.put(2, 0);
  const daemon = becket(["up", "--url", world.plane.url], { env: { BECKET_TOKEN: `${TEST_TOKEN}\n` } });
  daemons.push(daemon.catch(() => {}));
  await world.untilApplied();
  return { end: daemon };
}

describe("becket up", () => {
  test("enrols with the token of the environment and runs until it is stopped", async () => {
    const { end } = await startDaemon();
    stop.abort();
    expect(await end).toMatchObject({ code: 0 });
    expect(world.machine.kernel.render()).toContain("bkt-mesh-0");
  });

  test("tells systemd that it is up, when it is, where systemd asks for it", async () => {
    const told: string[] = [];
    const exec: Exec = {
      run: async (argv, options) => {
        if (argv[0] !== "env") return world.machine.ports.exec.run(argv, options);
        told.push(argv.join(" "));
        return { stdout: "", stderr: "" };
      },
    };
    const env = { BECKET_TOKEN: TEST_TOKEN, NOTIFY_SOCKET: "/run/systemd/notify" };
    daemons.push(becket(["up", "--url", world.plane.url], { env, agent: { ...world.machine.ports, exec } }));
    await world.machine.until(() =>
      expect(told).toEqual(["env NOTIFY_SOCKET=/run/systemd/notify systemd-notify --ready"]),
    );
  });

  test.each([
    ["a file", ["--token-file", "/token"], {}],
    ["a file that the environment names", [], { env: { BECKET_TOKEN_FILE: "/token" } }],
    ["standard input", ["--token-file", "-"], { readStdin: async () => `${TEST_TOKEN}\n` }],
  ])("takes the token from %s", async (_, args, { env, ...ports }: Partial<CliPorts>) => {
    world.machine.files.content.set("/token", TEST_TOKEN);
    daemons.push(becket(["up", ...args], { ...ports, env: { BECKET_URL: `${world.plane.url}/`, ...env } }));
    await world.untilApplied();
  });

  test("runs, and says so, when its metrics can't be served", async () => {
    const env = { BECKET_TOKEN: TEST_TOKEN, BECKET_METRICS: "9586" };
    daemons.push(becket(["up", "--url", world.plane.url], { env }));
    await world.untilApplied();
    expect((await becket(["status"])).out).toMatch(/metrics\.listen.*taken/);
  });

  test("does not start a second agent on the machine, and says who runs", async () => {
    const { end } = await startDaemon();
    expect(await becket(["up"])).toMatchObject({
      code: 5,
      error: expect.stringMatching(/runs here already \(process 1,/),
    });
    stop.abort();
    await end;
  });

  test("does not work on a network that another agent works on, whatever folders that one has", async () => {
    const { end } = await startDaemon();
    const before = world.machine.kernel.render();
    const other = mkdtempSync(path.join(runDir, "other-"));
    for (const command of ["up", "down"]) {
      expect(await becket([command, "--run-dir", other])).toMatchObject({
        code: 5,
        error: expect.stringMatching(/runs here already, with another --run-dir/),
      });
    }
    expect(world.machine.kernel.render()).toBe(before);
    stop.abort();
    await end;
  });

  test.each([
    [[], {}, 4, /URL is not known.*--url or BECKET_URL/],
    [["--url", "PLANE"], {}, 4, /no join token was given.*--token-file or BECKET_TOKEN_FILE.*BECKET_TOKEN\./],
    [["--url", "PLANE"], { env: { BECKET_TOKEN: "bkj_short" } }, 4, /begins with bkj_/],
    [["--url", "ftp://x"], {}, 2, /scheme, host and port/],
    [["--url", "https://x/api"], {}, 2, /scheme, host and port/],
    [[], { env: { BECKET_ENDPOINTS: "198.51.100.7" } }, 2, /BECKET_ENDPOINTS: "198\.51\.100\.7"/],
    [["--metrics", ":9586", "--url", "PLANE"], {}, 2, /--metrics: ":9586" is no address/],
    [["--token-file", "/nothing", "--url", "PLANE"], {}, 2, /can't be read from \/nothing: there is no file/],
    [["--url", "PLANE"], { isRoot: false }, 6, /needs root.*sudo/],
    [[TEST_TOKEN], {}, 2, /too many arguments/],
  ])("says what is missing and what to do: %j %j", async (args, ports, code, message) => {
    const outcome = await becket(["up", ...args.map((arg) => (arg === "PLANE" ? world.plane.url : arg))], ports);
    expect(outcome).toMatchObject({ code, error: expect.stringMatching(message) });
    expect(outcome.error).not.toContain(TEST_TOKEN);
    expect(world.plane.requests).toEqual([]);
  });

  test.each([
    ["wg", /`wg`.*apt-get install/],
    ["ip", /`ip`.*apt-get install/],
  ])("says that %s is missing and how to install it", async (program, message) => {
    const { exec } = world.machine.ports;
    const failure = { exitCode: null, signal: null, stderr: "", timedOut: false, reason: "could not be run" };
    const run: typeof exec.run = async (argv, options) => {
      if (argv[0] === program) throw new CommandError({ ...failure, argv });
      return exec.run(argv, options);
    };
    const outcome = await becket(["up"], { agent: { ...world.machine.ports, exec: { run } } });
    expect(outcome).toMatchObject({ code: 6, error: expect.stringMatching(message) });
  });

  test("says that its socket can't be where it was told to be", async () => {
    const files = createFiles();
    for (const dir of ["/proc/becket", "/dev/null/becket", "/dev/null"]) {
      const outcome = await becket(["up", "--run-dir", dir], { agent: { ...world.machine.ports, files } });
      expect(outcome).toMatchObject({
        code: 1,
        error: expect.stringMatching(/can't be in .*Choose another --run-dir/),
      });
    }
  });

  test("says that an agent runs already before it looks at anything else", async () => {
    const { end } = await startDaemon();
    const changes = world.machine.kernel.changes.length;
    world.machine.kernel.fail = (argv) => (argv.includes("add") ? "RTNETLINK answers: File exists" : null);
    expect(await becket(["up"])).toMatchObject({ code: 5 });
    expect(world.machine.kernel.changes.length).toBe(changes);
    stop.abort();
    await end;
  });

  test("starts beside a mesh's interface named bkt-probe, and beside what a killed start left behind", async () => {
    world.machine.kernel.addLink("bkt-probe", { isUp: true });
    world.machine.kernel.addLink("bkt-P1", {});
    await startDaemon();
    expect(world.machine.kernel.render()).toMatch(/^bkt-probe up/m);
    expect(world.machine.kernel.render()).not.toContain("bkt-P1");
  });

  test("says what the trouble is when WireGuard can neither be found nor excluded", async () => {
    world.machine.kernel.fail = (argv) => (argv.includes("add") ? "RTNETLINK answers: No buffer space" : null);
    expect(await becket(["up"])).toMatchObject({ code: 6, error: expect.stringMatching(/No buffer space/) });
  });

  test("says what a container lacks that may not make interfaces", async () => {
    world.machine.kernel.fail = (argv) => (argv.includes("add") ? "RTNETLINK answers: Operation not permitted" : null);
    expect(await becket(["up"])).toMatchObject({ code: 6, error: expect.stringMatching(/CAP_NET_ADMIN/) });
  });

  test("does not move to another control plane by itself", async () => {
    stop = new AbortController();
    const { end } = await startDaemon();
    stop.abort();
    await end;
    const outcome = await becket(["up", "--url", "https://elsewhere.example"], {
      stopSignal: new AbortController().signal,
    });
    expect(outcome).toMatchObject({
      code: 4,
      error: expect.stringMatching(/enrolled already: as host-1.*down --forget/),
    });
  });

  test("starts an enrolled machine without the token file that it was enrolled with, and warns", async () => {
    world.machine.files.content.set("/token", TEST_TOKEN);
    const args = ["up", "--url", world.plane.url, "--token-file", "/token"];
    const first = new AbortController();
    const enrolling = becket(args, { stopSignal: first.signal });
    await world.untilApplied();
    first.abort();
    await enrolling;
    world.machine.files.content.delete("/token");
    daemons.push(becket(args));
    await world.machine.until(() => expect(world.machine.logs.join("\n")).toMatch(/token file is not needed.*no file/));
  });

  test("ends with a code of its own when the machine is removed", async () => {
    const { end } = await startDaemon();
    world.plane.removeMachine();
    await world.machine.until(() => expect(world.machine.kernel.render()).not.toContain("bkt-"));
    expect(await end).toMatchObject({
      code: 7,
      error: expect.stringContaining("was removed from the control plane"),
    });
  });
});

describe("becket status, peers and version", () => {
  test("show what the agent says, for people", async () => {
    await startDaemon();
    world.machine.kernel.peer("bkt-mesh-0", testPeer(2).publicKey).latestHandshakeMs =
      world.machine.clock.now() - 5_000;
    await world.machine.clock.advance(1_000);
    const status = await becket(["status"]);
    expect(status.out).toContain("machine        host-1 (mch_");
    expect(status.out).toMatch(/MESH +INTERFACE +ADDRESS +ADDRESS6 +PORT +PEERS UP +IN SYNC +KEY +LINK/);
    expect(status.out).toMatch(
      /mesh-0 +bkt-mesh-0 +10\.1\.0\.200 +fd00:1::200 +51820 +0\/1 +yes +\d+ s +connected by websocket/,
    );
    expect((await becket(["peers"])).out).toMatch(
      /mesh-0 +m2 +10\.1\.0\.3 +none +- +- +\d+ s ago +0 B +\d+ B +- +waiting/,
    );
    expect((await becket(["version"])).out).toMatch(/^becket \d+\.\d+\.\d+ \(wire version 2, node v20\.18\.1\)$/);
  });

  test("print JSON that programs can rely on", async () => {
    await startDaemon();
    expect(AgentStatus.parse(JSON.parse((await becket(["status", "--json"])).out)).meshes).toHaveLength(1);
    expect(PeerList.parse(JSON.parse((await becket(["peers", "--json"])).out)).peers).toHaveLength(1);
    const version = VersionInfo.parse(JSON.parse((await becket(["version", "--json"])).out));
    expect(version.agentVersion).toBe(version.version);
  });

  test("--version is the same as version", async () => {
    expect(await becket(["--version"])).toEqual(await becket(["version"]));
    expect(JSON.parse((await becket(["--version", "--json"])).out)).toMatchObject({ agentVersion: null });
  });

  test.each([["status"], ["peers"], ["explain", "m2"], ["netcheck"]])("%s says that no agent runs", async (...args) => {
    expect(await becket(args)).toMatchObject({
      code: 3,
      error: expect.stringMatching(/No agent runs here.*becket up/),
    });
  });

  test("version works without an agent", async () => {
    expect(JSON.parse((await becket(["version", "--json"])).out)).toMatchObject({ agentVersion: null });
  });
});

describe("becket explain", () => {
  test.each(["m2", "10.1.0.3", "fd00:1::3", testPeer(2).machineId])(
    "says how %s is reached, and why so",
    async (peer) => {
      await startDaemon();
      await world.machine.clock.advance(1_000);
      const { code, out } = await becket(["explain", peer]);
      expect(code).toBe(0);
      expect(out).toMatch(/^m2: no path$/m);
      expect(out).toMatch(/why +not connected: 1 endpoint of the other machine is being checked/);
      expect(out).toMatch(/here +NAT not known yet/);
      expect(out).toMatch(/ENDPOINT +TYPE +OUTCOME +RTT +LAST/);
      expect(out).toMatch(/192\.0\.2\.3:51820 +host +checking +tried \d+ s ago/);
    },
  );

  test("prints JSON that programs can rely on", async () => {
    await startDaemon();
    const { paths } = ExplainReply.parse(JSON.parse((await becket(["explain", "m2", "--json"])).out));
    expect(paths).toMatchObject([{ name: "m2", path: "none", candidates: [{ endpoint: "192.0.2.3:51820" }] }]);
  });

  test("says that there is no such peer, and how to find one", async () => {
    await startDaemon();
    expect(await becket(["explain", "m3"])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no.*peer "m3".*becket peers/i),
    });
  });
});

describe("becket netcheck", () => {
  test("says that there is nobody to ask where no STUN server is named", async () => {
    await startDaemon();
    expect(await becket(["netcheck"])).toMatchObject({ code: 1, error: expect.stringMatching(/no STUN servers/) });
    expect(NetcheckReply.parse(JSON.parse((await becket(["netcheck", "--json"])).out))).toEqual({ report: null });
  });
});

describe("becket routes", () => {
  test("says of a mesh without a BIRD that it has none, for people and for programs", async () => {
    await startDaemon();
    const out = expect.stringMatching(/^No routes\.\n\n! mesh-0: no BIRD runs for this mesh: no member announces/);
    expect(await becket(["routes"])).toMatchObject({ code: 0, out });
    const reply = RoutesReply.parse(JSON.parse((await becket(["routes", "10.9.0.1", "--json"])).out));
    expect(reply).toMatchObject({ routes: [], isTruncated: false, problems: [{ mesh: "mesh-0" }] });
  });

  test.each(["10.1.2.3/8", "nonsense"])("says what is wrong with %s", async (prefix) => {
    expect(await becket(["routes", prefix])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/must be a network/),
    });
  });
});

describe("becket down", () => {
  test("asks the running agent, which removes its interfaces and ends", async () => {
    const { end } = await startDaemon();
    expect(await becket(["down"])).toMatchObject({ code: 0, out: expect.stringContaining("Removed bkt-mesh-0.") });
    expect(await end).toMatchObject({ code: 0 });
    expect(world.machine.kernel.render()).not.toContain("bkt-");
    expect([...world.machine.files.content.keys()]).toContain("/state/identity.json");
  });

  test("works without an agent, and leaves what is not ours", async () => {
    const { end } = await startDaemon();
    stop.abort();
    await end;
    world.machine.kernel.addLink("bkt-notours", { isUp: true });
    world.machine.logs.length = 0;
    expect(await becket(["down", "--forget"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("Removed bkt-mesh-0."),
    });
    expect(world.machine.logs.join("\n")).not.toMatch(/"level":"(error|warn|info)"/);
    expect(world.machine.kernel.render()).toMatch(/^bkt-notours/m);
    expect([...world.machine.files.content.keys()]).toEqual([]);
    // It is forgotten, so there is nothing that stays enrolled.
    expect((await becket(["down"])).out.trim()).toBe("There was no interface of ours.");
  });

  test("needs root", async () => {
    expect(await becket(["down"], { isRoot: false })).toMatchObject({
      code: 6,
      error: expect.stringContaining("sudo"),
    });
  });
});

describe("help", () => {
  test.each([
    ["--help"],
    ["up", "--help"],
    ["status", "--help"],
    ["peers", "--help"],
    ["explain", "--help"],
    ["netcheck", "--help"],
    ["routes", "--help"],
    ["down", "--help"],
    ["version", "--help"],
  ])("has examples and the exit codes: %s %s", async (...args) => {
    const { code, out } = await becket(args);
    expect([code, out]).toEqual([0, expect.stringMatching(/Examples:\n {2}[\s\S]*Exit codes:\n {2}0/)]);
  });

  test.each([[["nonsense"]], [["status", "--wrong"]], [["explain"]], [[]]])(
    "wrong usage is code 2, with a hint: %j",
    async (args) => {
      expect(await becket(args)).toMatchObject({ code: 2, error: expect.stringMatching(/becket --help|Usage/) });
    },
  );
});
