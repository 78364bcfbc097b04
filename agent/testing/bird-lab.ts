// Machines with a real BIRD each, in namespaces on one wire. The wire stands for a mesh: it has the mesh's addresses.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Bird, createBird } from "../bird/bird.ts";
import { createClock } from "../system/clock.ts";
import { createExec, type Exec } from "../system/exec.ts";
import { createFiles } from "../system/files.ts";
import { askSocket, watchSocket } from "../system/unix-socket.ts";
import { eventually } from "./eventually.ts";
import { type Namespace, openNamespace, whyNoNamespaces } from "./namespace.ts";

export interface BirdLab {
  openMachine(): Promise<BirdMachine>;
  /** Lays a wire between these: an interface of this name in each, with its addresses. */
  join(interfaceName: string, ends: readonly (readonly [BirdMachine, ...addresses: string[]])[]): Promise<void>;
  close(): Promise<void>;
}

export interface BirdMachine {
  readonly namespace: Namespace;
  readonly folder: string;
  /** One BIRD of this machine: `name` is its mesh's interface. */
  bird(name: string, kernelMetric?: number): Bird;
  /** Routes that a BIRD put into the kernel: `192.168.50.0/24 via 10.77.0.2 src 10.77.0.1`. */
  kernelRoutes(): Promise<string[]>;
  kill(name: string): Promise<void>;
}

/** Null when this machine can run it. */
export function whyNoBirdLab(): string | null {
  return spawnSync("bird", ["--version"]).status === 0 ? whyNoNamespaces() : "bird is not installed";
}

export function createBirdLab(): BirdLab {
  const closing: (() => Promise<unknown>)[] = [];
  const host = createExec(process.env);

  async function open(): Promise<Namespace> {
    const namespace = await openNamespace();
    closing.push(() => namespace.close());
    return namespace;
  }

  return {
    async openMachine() {
      const namespace = await open();
      const folder = await mkdtemp(path.join(tmpdir(), "becket-bird-"));
      closing.push(() => rm(folder, { recursive: true }));
      return createMachine(namespace, folder);
    },
    async join(interfaceName, ends) {
      const hub = await open();
      await hub.exec.run(["ip", "link", "add", "dev", "wire", "type", "bridge"]);
      await hub.exec.run(["ip", "link", "set", "dev", "wire", "up"]);
      for (const [index, [machine, ...addresses]] of ends.entries()) {
        const far = ["peer", "name", interfaceName, "netns", String(machine.namespace.pid)];
        await host.run(["ip", "link", "add", "dev", `port${index}`, "netns", String(hub.pid), "type", "veth", ...far]);
        await hub.exec.run(["ip", "link", "set", "dev", `port${index}`, "master", "wire", "up"]);
        const lines = addresses.map((address) => `address add ${address} dev ${interfaceName} nodad`);
        const stdin = [...lines, `link set dev ${interfaceName} up`, ""].join("\n");
        await machine.namespace.exec.run(["ip", "-batch", "-"], { stdin });
      }
    },
    async close() {
      for (const end of closing.reverse()) await end();
    },
  };
}

function createMachine(namespace: Namespace, folder: string): BirdMachine {
  const { exec } = namespace;
  const files = createFiles();
  const ports = { exec, files, clock: createClock(), askSocket, watchSocket };
  return {
    namespace,
    folder,
    bird: (name, kernelMetric = 5_201) => createBird(ports, { folder, name, kernelMetric }),
    async kernelRoutes() {
      const routes = await Promise.all(
        ["-4", "-6"].map(async (family) => {
          const { stdout } = await exec.run(["ip", "-json", family, "route", "show", "proto", "bird"]);
          return JSON.parse(stdout || "[]") as { dst: string; gateway?: string; prefsrc?: string; type?: string }[];
        }),
      );
      return routes.flat().map(({ dst, gateway, prefsrc }) => `${dst} via ${gateway} src ${prefsrc}`);
    },
    kill: (name) => killBird(exec, `${folder}/${name}`),
  };
}

/** Returns when it is dead, which is a moment after the signal. @param base of its files */
export async function killBird(exec: Exec, base: string): Promise<void> {
  const pid = (await createFiles().read(`${base}.pid`))?.trim() ?? "";
  await exec.run(["kill", "-9", pid]);
  await eventually(async () => {
    const endWatch = await watchSocket(`${base}.ctl`, () => undefined);
    endWatch?.();
    if (endWatch !== null) throw new Error("it lives");
  });
}
