// Does the steps of a plan. A step that fails doesn't keep the later ones back (a peer that lost its membership has to go, whatever
// else is wrong), unless there is no interface to do them on.
import type { Ip } from "../net/ip.ts";
import type { ForwardGuard } from "../net/nft/forward-guard.ts";
import type { Files } from "../system/files.ts";
import type { PeerChange } from "../wireguard/peer-change.ts";
import { readPublicKey } from "../wireguard/private-key.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import type { LanMarks } from "./lan-marks.ts";
import { isForwarding } from "./plan-link.ts";
import { hasHadHandshake } from "./plan-peers.ts";
import type { Step, StepName, StepOf } from "./steps.ts";

export interface Tools {
  readonly ip: Ip;
  readonly guard: ForwardGuard;
  readonly wireguard: WireGuard;
  readonly files: Files;
  readonly marks: LanMarks;
}

export interface Execution {
  readonly done: readonly Step[];
  readonly failed: readonly { readonly step: Step; readonly error: unknown }[];
  /** False: told to stop before the end. */
  readonly isComplete: boolean;
}

type Executors = { [N in StepName]: (step: StepOf<N>, tools: Tools) => Promise<void> };

const executors: Executors = {
  "interface.remove": removeInterface,
  "interface.create": ({ interfaceName }, { wireguard }) => wireguard.createInterface(interfaceName),
  "link.configure": ({ interfaceName, args }, { ip }) => ip.configureLink(interfaceName, args),
  "link.forward": setForwarding,
  "device.configure": configureDevice,
  "peers.change": changePeers,
  "lan.forward": setLanForwarding,
};

/**
 * Once a first step is done, stops between two steps when the signal aborts; a command that runs is never cut off. An interface is
 * marked as ours in the step after the one that makes it: never stopped between those two.
 */
export async function executeSteps(steps: readonly Step[], tools: Tools, signal: AbortSignal): Promise<Execution> {
  const done: Step[] = [];
  const failed: { step: Step; error: unknown }[] = [];
  for (const [index, step] of steps.entries()) {
    // At least one step in each round: a desired state that changes faster than a round lasts must not starve the work.
    if (index > 0 && signal.aborted && steps[index - 1]?.name !== "interface.create")
      return { done, failed, isComplete: false };
    try {
      await executeStep(step, tools);
      done.push(step);
    } catch (error) {
      failed.push({ step, error });
      if (step.name === "interface.create" || step.name === "interface.remove") break;
    }
  }
  return { done, failed, isComplete: true };
}

function executeStep<N extends StepName>(step: Extract<Step, { name: N }>, tools: Tools): Promise<void> {
  const execute = executors[step.name] as (step: Step, tools: Tools) => Promise<void>;
  return execute(step, tools);
}

/** The file holds another key than the one that the other members know: setting it would cut every session, in every round. */
export class KeyMismatchError extends Error {
  override readonly name = "KeyMismatchError";
}

/** Nothing would keep what an interface forwards in its mesh. */
export class UnguardedError extends Error {
  override readonly name = "UnguardedError";
}

async function removeInterface(
  { interfaceName, args }: StepOf<"interface.remove">,
  { guard, wireguard }: Tools,
): Promise<void> {
  await wireguard.removeInterface(interfaceName);
  if (args.isGuarded) await guard.remove(interfaceName);
}

/** The rule stands before forwarding is on, and forwarding is off before the rule goes. */
async function setForwarding({ interfaceName, args }: StepOf<"link.forward">, { ip, guard }: Tools): Promise<void> {
  const { to, networks, isGuarded } = args;
  const isOn = isForwarding(args);
  if (!isOn) await ip.setForwarding(interfaceName, false);
  if (!isGuarded) return guard.remove(interfaceName);
  try {
    await guard.set(interfaceName, { to, networks });
  } catch (cause) {
    if (isOn) await ip.setForwarding(interfaceName, false);
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = isOn
      ? `${interfaceName} forwards nothing: nftables takes no rule that keeps its packets in the mesh`
      : `this host forwards IPv6 for all interfaces, and nftables takes no rule that leaves out ${interfaceName}`;
    throw new UnguardedError(`${what} (${why})`, { cause });
  }
  if (isOn) await ip.setForwarding(interfaceName, true);
}

/** As setForwarding. What is switched on is marked before, and what is off is unmarked afterwards. */
async function setLanForwarding({ args }: StepOf<"lan.forward">, { ip, guard, marks }: Tools): Promise<void> {
  const { on, off, guards } = args;
  await marks.write([...args.marks, ...off]);
  for (const { name, family } of off) await ip.setForwarding(name, false, family);
  try {
    await guard.setLan(guards);
  } catch (cause) {
    for (const { name, family } of guards) await ip.setForwarding(name, false, family);
    const why = cause instanceof Error ? cause.message : String(cause);
    const names = [...new Set(guards.map(({ name }) => name))].join(", ");
    const what = `${names} forwards nothing: nftables takes no rules that keep it to the announced networks`;
    throw new UnguardedError(`${what} (${why})`, { cause });
  }
  for (const { name, family } of on) await ip.setForwarding(name, true, family);
  await marks.write(args.marks);
}

/** A nudge is for a peer without a handshake. Between the plan and now it may have one: a session would be cut, so it is looked at again. */
async function changePeers({ interfaceName, args }: StepOf<"peers.change">, { wireguard }: Tools): Promise<void> {
  const isNudge = (change: PeerChange) => change.kind === "recreate" && change.isNudge;
  const observed = args.some(isNudge) ? ((await wireguard.readDevice(interfaceName))?.peers ?? []) : [];
  const answered = new Set(observed.filter(hasHadHandshake).map(({ publicKey }) => publicKey as string));
  const isLate = (change: PeerChange) =>
    change.kind === "recreate" && change.isNudge && answered.has(change.peer.publicKey);
  const changes = args.filter((change) => !isLate(change));
  if (changes.length > 0) await wireguard.changePeers(interfaceName, changes);
}

async function configureDevice(step: StepOf<"device.configure">, { wireguard, files }: Tools): Promise<void> {
  const { publicKey, privateKeyFile } = step.args;
  if (privateKeyFile !== undefined && (await readPublicKey(files, privateKeyFile)) !== publicKey) {
    throw new KeyMismatchError(`${privateKeyFile} does not hold the private key of ${publicKey}`);
  }
  await wireguard.configureDevice(step.interfaceName, step.args);
}
