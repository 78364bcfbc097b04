// A control plane of its own for a browser to look at, on this machine, with a mesh and a machine in it.
import { spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { AGENT_PATHS, toEnrolmentText } from "#schema/wire/enrolment";

export interface SeenControlPlane {
  readonly url: string;
  readonly ownerToken: string;
  /** Of /api/v1, as the owner. */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

const program = path.resolve(import.meta.dirname, "../../embedded/main.ts");

export async function startSeenControlPlane(): Promise<SeenControlPlane> {
  const state = mkdtempSync(path.join(tmpdir(), "becket-dashboard-"));
  const argv = [program, "--port", "0", "--state", state, "--stun-servers", "none", "--json", "--exit-with-parent"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  const { url, ownerToken } = JSON.parse(line) as { url: string; ownerToken: string };
  return {
    url,
    ownerToken,
    async call(method, to, body) {
      const response = await fetch(`${url}/api/v1${to}`, {
        method,
        headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${method} ${to} answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as Record<string, unknown>;
    },
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(state, { recursive: true, force: true });
    },
  };
}

/** A machine that enrolled and was not heard of again. */
export async function enrolSilentMachine({ url, call }: SeenControlPlane, hostname: string): Promise<string> {
  const { token } = await call("POST", "/join-tokens", { maxUses: 1 });
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const identityKey = String(publicKey.export({ format: "jwk" }).x);
  const signature = sign(null, Buffer.from(toEnrolmentText(String(token), identityKey)), privateKey);
  const agent = { agentVersion: "0.1.0", nodeVersion: "v24.21.0", kernelVersion: "6.1.0", wireguard: "kernel" };
  const response = await fetch(url + AGENT_PATHS.enrolments, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token, identityKey, signature: signature.toString("base64url"), hostname, agent }),
  });
  if (!response.ok) throw new Error(`enrolment answered ${response.status}: ${await response.text()}`);
  return String(((await response.json()) as { machineId: string }).machineId);
}
