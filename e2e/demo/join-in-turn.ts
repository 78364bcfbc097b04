// Machines join one after another, as they do in life, and each is timed: from the start of its agent's process to its first answered
// ping to every member that is already there.
import { setTimeout as delay } from "node:timers/promises";
import type { Fleet } from "../fleet/fleet.ts";
import { pingOnce } from "../fleet/reach.ts";
import { awaitFirstAnswers } from "../lab/probes/first-answers.ts";

const FIRST_PING_LIMIT_MS = 30_000;
const PING_TIMEOUT_MS = 100;
const PAUSE_MS = 10;

export interface FirstPing {
  readonly from: string;
  readonly to: string;
  readonly ms: number;
}

export interface JoinOptions {
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  readonly onJoined: (name: string, pings: readonly FirstPing[]) => void;
}

export async function joinInTurn(
  fleet: Fleet,
  meshId: string,
  { names, signal, onJoined }: JoinOptions,
): Promise<FirstPing[]> {
  const { token } = await fleet.api.createJoinToken();
  const all: FirstPing[] = [];
  for (const newcomer of names.map(fleet.agent)) {
    const members = [...(await fleet.addresses(meshId))];
    const startedAtMs = Date.now();
    await newcomer.up({ token });
    const addresses = members.map(([, { ipv4 }]) => ipv4);
    const answers = await awaitFirstAnswers(newcomer.machine, addresses, { withinMs: FIRST_PING_LIMIT_MS, signal });
    const pings = members.map(([to, { ipv4 }]): FirstPing => {
      return { from: newcomer.machine.name, to, ms: (answers.get(ipv4) ?? 0) - startedAtMs };
    });
    if (members.length === 0) await untilMember(fleet, { meshId, name: newcomer.machine.name, signal });
    onJoined(newcomer.machine.name, pings);
    all.push(...pings);
  }
  return all;
}

/** The first machine has nobody to ping: it has joined when its mesh interface stands. */
async function untilMember(
  fleet: Fleet,
  { meshId, name, signal }: { readonly meshId: string; readonly name: string; readonly signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + FIRST_PING_LIMIT_MS;
  while (performance.now() < deadline) {
    const address = (await fleet.addresses(meshId)).get(name);
    if (address && (await pingOnce(fleet.lab.machine(name), address.ipv4, { timeoutMs: PING_TIMEOUT_MS }))) return;
    await delay(PAUSE_MS, null, { signal });
  }
  throw new Error(`${name} did not join the mesh`);
}
