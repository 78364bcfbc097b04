import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLab } from "./lab.ts";
import { ping } from "./probes/ping.ts";
import { cleanLeftovers, labFolder, readLabs, removeLab } from "./record.ts";
import { findLabProcesses } from "./system/proc.ts";

const TOPOLOGY = { machines: [{ name: "carol" }, { name: "dave" }] };

test("a lab whose owner was killed is cleaned by the next run, daemons and folders too; a living owner's is not touched", async () => {
  const { owner, labId } = await startOwner();
  const folder = labFolder(labId);
  expect(await cleanLeftovers()).not.toContain(labId);
  // Namespaces of internet, control, stun and carol, and two daemons that are hard to find.
  expect(findLabProcesses(labId, folder)).toHaveLength(6);

  owner.kill("SIGKILL");
  await once(owner, "exit");
  expect(findLabProcesses(labId, folder)).toHaveLength(6);
  await using _next = await createLab({ topology: TOPOLOGY });
  expect(findLabProcesses(labId, folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("an owner ended by %s takes its lab along", async (signal, exitCode) => {
  const { owner, labId } = await startOwner();
  owner.kill(signal);
  expect(await once(owner, "exit")).toEqual([exitCode, null]);
  expect(existsSync(labFolder(labId))).toBe(false);
  expect(findLabProcesses(labId, labFolder(labId))).toEqual([]);
});

test("an owner ended by an uncaught error takes its lab along", async () => {
  const { owner, labId } = await startOwner({ stderr: "ignore" });
  owner.stdin?.end("now");
  expect(await once(owner, "exit")).toEqual([1, null]);
  expect(findLabProcesses(labId, labFolder(labId))).toEqual([]);
});

test("an aborted lab goes, also while it is being made", async () => {
  const abort = new AbortController();
  const before = readLabs().map((lab) => lab.id);
  const making = createLab({ topology: TOPOLOGY, name: "aborted-early", signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(making).rejects.toThrow("enough");
  expect(readLabs().filter((lab) => !before.includes(lab.id) && lab.name === "aborted-early")).toEqual([]);
});

test("a released lab stays and is found by its name until it is removed", async () => {
  const name = `released-${process.pid}`;
  const lab = await createLab({ topology: TOPOLOGY, name });
  lab.release();
  onTestFinished(() => removeLab(lab.id));
  expect(await cleanLeftovers()).not.toContain(lab.id);
  expect(readLabs().find((record) => record.name === name)).toMatchObject({ id: lab.id, owner: null });
  expect(await ping(lab.machine("carol"), "dave")).toMatchObject({ received: 1 });
  await expect(createLab({ topology: TOPOLOGY, name })).rejects.toThrow(`there is a lab named ${name} already`);
});

test("a wrong topology is refused before anything is made", async () => {
  const topology = { machines: [{ name: "carol", lan: "nowhere" }] };
  await expect(createLab({ topology })).rejects.toThrow('machines[0].lan: there is no LAN named "nowhere"');
});

async function startOwner({
  stderr = "inherit" as "inherit" | "ignore",
} = {}): Promise<{ owner: ChildProcess; labId: string }> {
  const program = path.join(import.meta.dirname, "testing/lab-owner.ts");
  const owner = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", stderr] });
  onTestFinished(() => void owner.kill("SIGKILL"));
  const [line] = (await once(owner.stdout, "data")) as [Buffer];
  return { owner, labId: line.toString().trim() };
}
