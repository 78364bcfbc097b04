// desired + observed → what to do. Pure and idempotent: planning on the result gives no steps. Ordered so that no state in between drops
// traffic that flows and goes on: things are added before others are removed, peers are changed and never replaced.
//
// Only interfaces that are ours (ownership.ts) are touched.
import type { MeshId } from "#schema/ids";
import type { Route } from "../net/parse-ip.ts";
import type { PeerChange } from "../wireguard/peer-change.ts";
import type { DesiredDevice } from "./desired-device.ts";
import { normaliseDevice } from "./normalise-device.ts";
import type { ObservedLink, ObservedState } from "./observed-state.ts";
import { isBlank, isOurs, ownerOf } from "./ownership.ts";
import type { Memory } from "./peer-memory.ts";
import { planForwarding, planLink } from "./plan-link.ts";
import { nextPeerWakeAtMs, planPeers } from "./plan-peers.ts";
import type { Step, StepArgs, StepName } from "./steps.ts";

export interface Desired {
  readonly devices: readonly DesiredDevice[];
  /** Meshes whose interfaces are left as they are. */
  readonly keep: readonly MeshId[];
}

export interface MeshPlan {
  /** Null: of no mesh that is known, for a blank interface. */
  readonly meshId: MeshId | null;
  readonly steps: readonly Step[];
  /** What should be done and can't be. */
  readonly problems: readonly Problem[];
}

export interface Problem {
  readonly step: StepName;
  readonly code:
    | "interface_name_taken"
    | "device_unreadable"
    | "route_overlap"
    | "lan_not_forwarding"
    | "ipv6_not_forwarded";
  readonly message: string;
}

export interface PlanInputs {
  readonly desired: Desired;
  readonly observed: ObservedState;
  /** The machine's own, IPv4. */
  readonly routes: readonly Route[];
  readonly memory: Memory;
  readonly nowMs: number;
}

/** Interfaces to be removed come first: they may hold a name, a port or an address that another mesh is to get. */
export function planDevices({ desired, observed, routes, memory, nowMs }: PlanInputs): {
  removals: MeshPlan[];
  meshes: MeshPlan[];
} {
  // The first mesh keeps a name that several claim.
  const wanted = new Map([...desired.devices].reverse().map((device) => [device.interfaceName, device.meshId]));
  const removals = observed.links.flatMap((link): MeshPlan[] => {
    const owner = ownerOf(link);
    if (!isOurs(link) || (owner !== null && desired.keep.includes(owner))) return [];
    // A blank one becomes that of whichever mesh wants its name.
    if (owner === null ? wanted.has(link.name) : wanted.get(link.name) === owner) return [];
    const reason = owner === null ? "it was begun and never finished" : `nothing needs it; it was of mesh ${owner}`;
    const args = { isGuarded: link.guard !== null };
    const step = { name: "interface.remove", interfaceName: link.name, meshId: owner, reason, args } as const;
    return [{ meshId: owner, steps: [step], problems: [] }];
  });
  const removed = new Set(removals.flatMap(({ steps }) => steps.map(({ interfaceName }) => interfaceName)));
  const left = {
    observed: { ...observed, links: observed.links.filter(({ name }) => !removed.has(name)) },
    routes: routes.filter(({ device }) => !removed.has(device)),
  };
  return {
    removals,
    meshes: desired.devices.map((device) =>
      wanted.get(device.interfaceName) === device.meshId
        ? planDevice(normaliseDevice(device), { ...left, memory, nowMs })
        : { meshId: device.meshId, steps: [], problems: [renderNameTaken(device, "belongs to another mesh")] },
    ),
  };
}

/** The earliest time at which planning again may give more, though nothing else changes; null: never. */
export function nextWakeAtMs({ desired, observed, memory, nowMs }: Omit<PlanInputs, "routes">): number | null {
  const times = desired.devices.flatMap((device) => {
    const link = observed.links.find(({ name }) => name === device.interfaceName);
    const peers = link?.wireguard.state === "present" ? link.wireguard.device.peers : [];
    const known = memory.get(device.interfaceName) ?? new Map();
    const at = nextPeerWakeAtMs({ desired: normaliseDevice(device).peers, observed: peers, memory: known, nowMs });
    return at === null ? [] : [at];
  });
  return times.length === 0 ? null : Math.min(...times);
}

type Context = Omit<PlanInputs, "desired">;

function planDevice(device: DesiredDevice, context: Context): MeshPlan {
  const { meshId, interfaceName } = device;
  const link = context.observed.links.find(({ name }) => name === interfaceName);
  const foreign: Problem = {
    step: "interface.create",
    code: "interface_name_taken",
    message: `${interfaceName} exists and is not Becket's`,
  };
  if (link !== undefined && ownerOf(link) !== meshId && !isBlank(link))
    return { meshId, steps: [], problems: [foreign] };
  if (link?.wireguard.state === "unreadable") {
    const { problem } = link.wireguard;
    return { meshId, steps: [], problems: [{ step: "device.configure", code: "device_unreadable", message: problem }] };
  }
  const step = <N extends StepName>(name: N, reason: string, args: StepArgs[N]) =>
    ({ name, interfaceName, meshId, reason, args }) as Step;
  const defect = link === undefined ? null : findDefect(link);
  const current = defect === null ? link : undefined;
  const { changes, reasons, overlaps } = planLink(device, current, context.routes);
  const forwarding = planForwarding(device, current, context.observed);
  const configure = planConfigure(device, current);
  const peers = planPeers({
    desired: device.peers,
    areRoutesKnown: device.areRoutesKnown,
    observed: current?.wireguard.state === "present" ? current.wireguard.device.peers : [],
    memory: (current && context.memory.get(interfaceName)) ?? new Map(),
    nowMs: context.nowMs,
  });
  return {
    meshId,
    problems: overlaps.map((message) => ({ step: "link.configure", code: "route_overlap", message })),
    steps: [
      ...(defect === null ? [] : [step("interface.remove", defect, { isGuarded: link?.guard !== null })]),
      ...(current === undefined ? [step("interface.create", defect ?? "not there yet", null)] : []),
      // Up before it gets its port: wireguard-go reports a port that is taken only while it is up.
      ...(reasons.length === 0 ? [] : [step("link.configure", reasons.join("; "), changes)]),
      ...(forwarding === null ? [] : [step("link.forward", forwarding.reason, forwarding.args)]),
      ...(configure === null ? [] : [step("device.configure", configure.reason, configure.args)]),
      ...(peers.length === 0 ? [] : [step("peers.change", renderPeersReason(peers), peers)]),
    ],
  };
}

function renderNameTaken({ interfaceName }: DesiredDevice, why: string): Problem {
  return { step: "interface.create", code: "interface_name_taken", message: `${interfaceName} exists and ${why}` };
}

/** Why our interface has to be made anew, or null. Nothing flows through an interface with such a defect. */
function findDefect({ isUp, wireguard }: ObservedLink): string | null {
  if (wireguard.state === "absent") return "there is an interface, but no WireGuard behind it";
  // wireguard-go could not have its port when the interface came up, and does not try again.
  return wireguard.state === "present" && isUp && wireguard.device.listenPort === 0 ? "WireGuard has no socket" : null;
}

function planConfigure(device: DesiredDevice, current: ObservedLink | undefined) {
  const { publicKey, privateKeyFile, listenPort } = device;
  const before = current?.wireguard.state === "present" ? current.wireguard.device : null;
  const isKeyRight = before?.publicKey === publicKey;
  const isPortRight = before?.listenPort === listenPort;
  if (isKeyRight && isPortRight) return null;
  const reasons = [
    ...(isKeyRight ? [] : [before?.publicKey ? "the key changed" : "it has no key"]),
    ...(isPortRight ? [] : [`port was ${before?.listenPort ?? "not set"}`]),
  ];
  const args = { publicKey, ...(isKeyRight ? {} : { privateKeyFile }), ...(isPortRight ? {} : { listenPort }) };
  return { reason: reasons.join("; "), args };
}

/** `2 added, 1 removed: first reason`: a mesh has hundreds of peers, a log line has not. */
function renderPeersReason(changes: readonly PeerChange[]): string {
  const counts = PEER_CHANGE_KINDS.map((kind) => ({
    kind,
    count: changes.filter((change) => change.kind === kind).length,
  }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} to ${kind}`);
  return `peers: ${counts.join(", ")} (${changes[0]?.reason})`;
}

const PEER_CHANGE_KINDS = ["add", "update", "recreate", "withdraw", "remove"] as const satisfies PeerChange["kind"][];
