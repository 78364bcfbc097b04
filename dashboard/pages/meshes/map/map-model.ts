// What the map shows: the machines of a mesh, and how one of them, the one in the middle, reaches the others. A machine knows its own links only, and
// asking all of them would be a call for each: one at a time is looked at.
import type { Machine, Member } from "#schema/machine";
import type { PeerTelemetry } from "#schema/path";
import { toSite } from "#schema/tag";
import { formatMs, formatRatio } from "../../../lib/format.ts";
import { PATH_WORDS, STATUS_WORDS } from "../../machines/peers/peer-words.ts";

/** In the order in which they need looking at. */
export const LINK_STATES = [
  "down",
  "connecting",
  "transit",
  "relayed",
  "direct",
  "idle",
  "unknown",
  "offline",
] as const;
export type LinkState = (typeof LINK_STATES)[number];

export interface MapMachine {
  readonly id: string;
  readonly name: string;
  readonly isGateway: boolean;
  /** Names of other meshes that it joins to this one; of gateways only. */
  readonly joins: readonly string[];
  /** Null: it has none. */
  readonly site: string | null;
  readonly state: LinkState;
  /** The gateway that a transit path goes through. */
  readonly viaId: string | null;
  readonly isLossy: boolean;
  /** `direct, 12.5 ms, 4 % loss` */
  readonly words: string;
}

export interface MeshMap {
  readonly focus: MapMachine;
  /** All but the focus, by name. */
  readonly others: readonly MapMachine[];
}

const LOSSY_FROM = 0.01;
const COLLATOR = new Intl.Collator("en", { numeric: true });
const byName = (a: { readonly name: string }, b: { readonly name: string }) => COLLATOR.compare(a.name, b.name);

/** Somebody who can be asked, gateways first; null: the mesh is empty. */
export function pickFocus(
  members: readonly Pick<Member, "machineId" | "name" | "online">[],
  gatewayIds: ReadonlySet<string>,
  wantedId: string | undefined,
): string | null {
  const wanted = members.find(({ machineId }) => machineId === wantedId);
  const rank = ({ machineId, online }: Pick<Member, "machineId" | "online">) =>
    (online ? 0 : 2) + (gatewayIds.has(machineId) ? 0 : 1);
  const [first] = members.toSorted((a, b) => rank(a) - rank(b) || byName(a, b));
  return (wanted ?? first)?.machineId ?? null;
}

interface MapInput {
  readonly meshId: string;
  readonly members: readonly Pick<Member, "machineId" | "name" | "online">[];
  readonly machines: readonly Pick<Machine, "id" | "gateway" | "meshes" | "tags">[];
  readonly focusId: string;
  /** The focus's; undefined while they are not known. */
  readonly peers: readonly PeerTelemetry[] | undefined;
}

export function toMeshMap({ meshId, members, machines, focusId, peers }: MapInput): MeshMap | null {
  const known = new Map(machines.map((machine) => [machine.id as string, machine]));
  const links = new Map(
    (peers ?? []).filter((peer) => peer.meshId === meshId).map((peer) => [peer.machineId as string, peer]),
  );
  const all = members.map((member): MapMachine => {
    const machine = known.get(member.machineId);
    const peer = links.get(member.machineId);
    const isGateway = machine?.gateway === true;
    const joins = isGateway ? machine.meshes.filter((other) => other.meshId !== meshId) : [];
    const state = toLinkState(member.online, peer);
    return {
      ...{ id: member.machineId, name: member.name, isGateway, state },
      joins: joins.map(({ meshName }) => meshName),
      site: toSite(machine?.tags ?? []),
      viaId: state === "transit" ? (peer?.gatewayId ?? null) : null,
      isLossy: peer !== undefined && isUp(state) && (peer.lossRatio ?? 0) >= LOSSY_FROM,
      words: toWords(state, peer),
    };
  });
  const focus = all.find(({ id }) => id === focusId);
  if (focus === undefined) return null;
  return { focus, others: all.filter(({ id }) => id !== focusId).toSorted(byName) };
}

/** What the machine itself sees comes before what the control plane sees of the other one. */
function toLinkState(isOnline: boolean, peer: PeerTelemetry | undefined): LinkState {
  if (peer?.status === "up" && peer.path !== "none") return peer.path;
  if (!isOnline) return "offline";
  if (peer === undefined) return "unknown";
  return peer.status === "up" ? "idle" : peer.status;
}

const isUp = (state: LinkState): boolean => state === "direct" || state === "relayed" || state === "transit";

function toWords(state: LinkState, peer: PeerTelemetry | undefined): string {
  if (peer === undefined || !isUp(state)) return STATE_WORDS[state].label;
  const { latencyMs, lossRatio } = peer;
  return [
    STATE_WORDS[state].label,
    ...(latencyMs === null ? [] : [formatMs(latencyMs)]),
    ...(lossRatio === null || lossRatio < LOSSY_FROM ? [] : [`${formatRatio(lossRatio)} loss`]),
  ].join(", ");
}

export const STATE_WORDS: Readonly<Record<LinkState, { readonly label: string; readonly hint: string }>> = {
  ...STATUS_WORDS,
  ...PATH_WORDS,
  unknown: { label: "not known", hint: "The machine in the middle has not told" },
  offline: { label: "offline", hint: "Not seen by the control plane" },
};

export interface MapGroup {
  readonly state: LinkState;
  readonly machines: readonly MapMachine[];
}

/** Those that there are, what needs looking at first. */
export const groupByState = (machines: readonly MapMachine[]): MapGroup[] =>
  LINK_STATES.map((state) => ({ state, machines: machines.filter((machine) => machine.state === state) })).filter(
    (group) => group.machines.length > 0,
  );

/** A link to see by itself among many. */
export const isNotable = ({ state, isLossy }: MapMachine): boolean =>
  state === "down" || state === "connecting" || state === "transit" || isLossy;
