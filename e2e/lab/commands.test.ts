import path from "node:path";
import { expect, test } from "vitest";
import { readLabs } from "./record.ts";
import { run } from "./system/exec.ts";

const lab = (...args: string[]) =>
  run([process.execPath, path.join(import.meta.dirname, "main.ts"), ...args], { allowFailure: true });
const NAME = `commands-${process.pid}`;

test("a person builds a network, runs programs in it and takes it down", async () => {
  const up = await lab("up", "four-machines", "--name", NAME);
  try {
    expect(up).toMatchObject({ exitCode: 0, stderr: "" });
    expect(up.stdout).toContain(`npm run lab -- exec --lab ${NAME} alice -- ping -c 3 bob`);
    const pinged = await lab("exec", "--lab", NAME, "alice", "--", "ping", "-c", "1", "-W", "1", "carol");
    expect(pinged).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 received") });
    expect(await lab("exec", "--lab", NAME, "bob", "--", "sh", "-c", "exit 7")).toMatchObject({ exitCode: 7 });
    expect((await lab("exec", "--lab", NAME, "eve", "--", "true")).stderr).toContain('there is no "eve" in this lab');
    expect((await lab("status")).stdout).toMatch(/alice +on home +192\.168\.1\.10\n/);
    const listed = JSON.parse((await lab("status", "--json")).stdout);
    expect(listed).toContainEqual(expect.objectContaining({ name: NAME, owner: null }));
  } finally {
    expect(await lab("down", NAME)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`lab ${NAME} is down`),
    });
  }
  expect(readLabs().some((record) => record.name === NAME)).toBe(false);
});

test("a topology file that can't be read is named", async () => {
  expect(await lab("up", "no-such-file.json")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("no-such-file.json"),
  });
});

test("help names every command", async () => {
  const { stdout } = await lab("--help");
  for (const command of ["up", "exec", "status", "down"]) expect(stdout).toContain(`\n  ${command} `);
});
