// A control plane that runs, is backed up, lost and restored. Each start takes seconds, so one story tells it all.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { callApi, createStateFolder, type ReadyLine, startProcess } from "../testing/control-plane-process.ts";
import { createBackup } from "./create-backup.ts";
import { restoreBackup } from "./restore-backup.ts";

const start = (state: string) => startProcess(["--port", "0", "--state", state, "--json"]);
const say = () => undefined;
const backupProgram = path.resolve(import.meta.dirname, "../backup.ts");
/** Three starts, on a machine that may be busy with others. */
const LIMIT_MS = 180_000;

it(
  "everything that was answered before a backup is in it, the control plane goes on, and a restored one takes up nothing twice",
  async () => {
    // Longer than a socket's path may be.
    const state = path.join(createStateFolder(), "x".repeat(100));
    const first = start(state);
    const before = await first.ready;
    const once = await makeJoinToken(before, { maxUses: 1 });
    const fleet = await makeJoinToken(before, {});

    const { answered, stop } = writeAllTheTime(before);
    await answeredAtLeast(3, answered);
    const due = [...answered];
    const to = path.join(createStateFolder(), "backup.tar.gz");
    const { frozenMs } = await createBackup({ stateDir: state, to, withOwnerToken: true, force: false, say });
    await stop();
    expect(frozenMs).toBeGreaterThan(0);
    await killBackup(state, findRuntime(first.child.pid));
    // Whoever was killed while asking left neither a copy nor anybody frozen.
    await untilNoCopy(state);
    expect((await callApi(before, "POST", "/meshes", toMesh(200))).status).toBe(201);
    first.child.kill("SIGKILL");
    await first.ended;
    rmSync(state, { recursive: true });

    const elsewhere = path.join(createStateFolder(), "state");
    const { generation } = await restoreBackup({ file: to, stateDir: elsewhere, force: false, say });
    for (const _ of ["its first start", "its second"]) {
      const restored = start(elsewhere);
      const after = await restored.ready;
      expect(after.ownerToken).toBe(before.ownerToken);
      const meshes = (await callApi(after, "GET", "/meshes?limit=500")).body.items as { id: string; name: string }[];
      const names = meshes.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(due));
      // D1 and the objects are of one instant.
      for (const { id } of meshes) expect((await callApi(after, "GET", `/meshes/${id}/members`)).status).toBe(200);
      const tokens = (await callApi(after, "GET", "/join-tokens")).body.items as { id: string; status: string }[];
      const statuses = Object.fromEntries(tokens.map(({ id, status }) => [id, status]));
      expect(statuses).toEqual({ [once]: "revoked", [fleet]: "active" });
      const { body } = await callApi(after, "GET", "/audit-events?action=control_plane.restored");
      expect(body.items).toMatchObject([{ subjectId: generation, actor: { kind: "system" } }]);
      restored.child.kill("SIGTERM");
      await restored.ended;
    }
  },
  LIMIT_MS,
);

const toMesh = (number: number) => ({ name: `mesh-${number}`, cidr: `10.${number}.0.0/16` });

async function makeJoinToken(ready: ReadyLine, options: object): Promise<string> {
  const { body } = await callApi(ready, "POST", "/join-tokens", { expiresInSeconds: 3_600, ...options });
  return body.id as string;
}

function writeAllTheTime(ready: ReadyLine) {
  const answered: string[] = [];
  let isStopping = false;
  const writing = (async () => {
    for (let number = 1; !isStopping && number < 200; number++) {
      const mesh = toMesh(number);
      if ((await callApi(ready, "POST", "/meshes", mesh)).status === 201) answered.push(mesh.name);
    }
  })();
  const stop = async () => {
    isStopping = true;
    await writing;
  };
  return { answered, stop };
}

async function answeredAtLeast(count: number, answered: readonly string[]): Promise<void> {
  while (answered.length < count) await new Promise((resolve) => setImmediate(resolve));
}

/** While its control plane's runtime is stopped for it. That takes some ms: the backup that was too quick is followed by another. */
async function killBackup(state: string, runtime: string): Promise<void> {
  for (let count = 0; count < 50; count++) {
    const to = path.join(state, `killed-${count}.tar.gz`);
    const child = spawn(process.execPath, [backupProgram, "--state", state, "--to", to], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const isFrozen = await seeFrozen(runtime, () => child.exitCode !== null);
    child.kill("SIGKILL");
    await ended;
    if (isFrozen) return;
  }
  throw new Error("no backup was caught while it copied");
}

async function untilNoCopy(state: string): Promise<void> {
  const isThere = () => readdirSync(path.join(state, "tmp")).some((name) => name.startsWith("copy-"));
  while (isThere()) await new Promise((resolve) => setImmediate(resolve));
}

async function seeFrozen(runtime: string, isOver: () => boolean): Promise<boolean> {
  while (!isOver()) {
    if (/\) T /.test(readFileSync(`/proc/${runtime}/stat`, "utf8"))) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

/** The workerd that this control plane started. */
function findRuntime(pid: number | undefined): string {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
  );
  const found = children.find((child) => readFileSync(`/proc/${child}/comm`, "utf8").trim() === "workerd");
  if (found === undefined) throw new Error("the control plane runs no workerd");
  return found;
}
