import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, expect, onTestFinished, test } from "vitest";

let root: string;

// A clone whose npm, first in PATH, only writes down that it ran and makes the node_modules that the lockfile asks for.
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "becket-run-"));
  onTestFinishedRemove(root);
  cpSync(path.join(import.meta.dirname, ".."), path.join(root, "scripts"), { recursive: true });
  mkdirSync(path.join(root, "bin"));
  const npm = `#!/bin/sh
echo "npm $*" >> "${root}/npm-calls"
mkdir -p "${root}/node_modules/.bin"
ln -sf "${process.execPath}" "${root}/node_modules/.bin/node"
cp "${root}/package-lock.json" "${root}/node_modules/.package-lock.json"
`;
  writeFileSync(path.join(root, "bin/npm"), npm);
  chmodSync(path.join(root, "bin/npm"), 0o755);
  writeLockfile("1.0.0");
  writeFileSync(
    path.join(root, "entry.ts"),
    "const code: number = 7;\nconsole.log(process.argv.slice(2).join());\nprocess.exitCode = code;\n",
  );
});

test("a fresh clone gets its packages, then the entry runs with its arguments and exit code", async () => {
  const { stdout, stderr, exitCode } = await run("entry.ts", "up", "--all");
  expect({ stdout, exitCode }).toEqual({ stdout: "up,--all\n", exitCode: 7 });
  expect(stderr).toContain("installing npm packages");
  expect(npmCalls()).toBe(1);
});

test("packages that are there are left alone, and changed ones are installed", async () => {
  await run("entry.ts");
  expect((await run("entry.ts")).stderr).toBe("");
  expect(npmCalls()).toBe(1);
  writeLockfile("2.0.0");
  await run("entry.ts");
  expect(npmCalls()).toBe(2);
});

test("two first runs at once install once", async () => {
  const results = await Promise.all([run("entry.ts"), run("entry.ts")]);
  expect(results.map((result) => result.exitCode)).toEqual([7, 7]);
  expect(npmCalls()).toBe(1);
});

test("a failing installation ends with 1 and names the command", async () => {
  writeFileSync(path.join(root, "bin/npm"), "#!/bin/sh\nexit 9\n");
  const { exitCode, stderr } = await run("entry.ts");
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/npm ci .* failed \(exit code 9\)/);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s reaches the entry, which may take its time to clean up",
  async (signal) => {
    const entry = `const timer = setInterval(() => {}, 1_000);
process.on("${signal}", () => setTimeout(() => { console.log("cleaned"); process.exitCode = 3; clearInterval(timer); }, 50));
console.log("ready");
`;
    writeFileSync(path.join(root, "entry.ts"), entry);
    const child = start("entry.ts");
    const output = readAll(child);
    if (child.stdout) await once(child.stdout, "data");
    child.kill(signal);
    expect(await output).toMatchObject({ stdout: expect.stringMatching(/cleaned\n$/), exitCode: 3 });
  },
);

function start(...args: string[]): ChildProcess {
  const env = { ...process.env, PATH: `${path.join(root, "bin")}:${process.env.PATH}` };
  return spawn(process.execPath, [path.join(root, "scripts/run.mjs"), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const run = (...args: string[]) => readAll(start(...args));

async function readAll(child: ChildProcess) {
  const [stdout, stderr, [exitCode]] = await Promise.all([
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { stdout, stderr, exitCode };
}

function npmCalls(): number {
  return readFileSync(path.join(root, "npm-calls"), "utf8").trim().split("\n").length;
}

function writeLockfile(version: string): void {
  const packages = { "": {}, "node_modules/a": { version, integrity: `sha512-${version}` } };
  writeFileSync(path.join(root, "package-lock.json"), JSON.stringify({ packages }));
}

function onTestFinishedRemove(folder: string): void {
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
}
