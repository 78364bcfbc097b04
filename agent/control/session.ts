// What one machine knows of one mesh, and how messages change it. Pure: a state and an input in, a state and outputs out.
//
// Invariants:
// - `desired` is always a state that the Mesh object really had at `desired.revision` of `desired.epoch`.
// - Within an epoch the revision never falls, unless the object itself answered "I know nothing" with an older snapshot.
// - A message lost, doubled or late costs at most one more hello; the heartbeat finds what was lost at the end.
//
//   opened ──► hello(position) ──► snapshot ───────────────────► replace
//                     ▲            changes on my position ─────► apply
//                     └─────────── changes beyond it, other epoch, newer position: ask again
import type { AnnouncementRow, DesiredMesh, PeerRow } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { FromMeshMessage, SyncChanges, SyncSnapshot } from "#schema/wire/messages";

export interface SessionState {
  readonly meshId: MeshId;
  /** Null until the first snapshot. */
  readonly desired: DesiredMesh | null;
  /**
   * What was asked for and is not yet answered. `changes`: from my position on; `everything`: I said that I know nothing,
   * so the next snapshot counts whatever its revision. One question at a time, so a burst of gaps makes one hello.
   */
  readonly asked: "nothing" | "changes" | "everything";
}

export type Position = Pick<DesiredMesh, "epoch" | "revision">;

export type SessionInput =
  /** A connection was opened. */
  | { readonly type: "opened" }
  | { readonly type: "heartbeat_due" }
  | { readonly type: "received"; readonly message: SessionMessage };

/** What is about the mesh's state. The other messages are signals about paths. */
export type SessionMessage = Extract<FromMeshMessage, { type: (typeof SESSION_MESSAGES)[number] }>;
const SESSION_MESSAGES = ["sync.snapshot", "sync.changes", "sync.position", "mesh.left", "error"] as const;

export const isSessionMessage = (message: FromMeshMessage): message is SessionMessage =>
  (SESSION_MESSAGES as readonly string[]).includes(message.type);

export type SessionOutput =
  | { readonly type: "send_hello"; readonly position: Position | null }
  | { readonly type: "send_heartbeat"; readonly position: Position }
  /** `desired` is new: keep it on disk, bring the tunnels there, and confirm it. */
  | { readonly type: "changed" }
  | { readonly type: "left"; readonly reason: "removed" | "mesh_deleted" }
  /** The object did not do what it was asked. */
  | { readonly type: "refused"; readonly code: string; readonly message: string }
  /** For the log. */
  | { readonly type: "note"; readonly level: "debug" | "warn"; readonly text: string };

export interface SessionStep {
  readonly state: SessionState;
  readonly outputs: readonly SessionOutput[];
}

export function createSession(meshId: MeshId, desired: DesiredMesh | null): SessionState {
  return {
    meshId,
    desired: desired === null ? null : { ...desired, members: sortMembers(desired.members) },
    asked: "nothing",
  };
}

export function stepSession(state: SessionState, input: SessionInput): SessionStep {
  switch (input.type) {
    case "opened":
      return ask(state, "changes");
    case "heartbeat_due":
      return heartbeat(state);
    case "received":
      return receive(state, input.message);
  }
}

function receive(state: SessionState, message: SessionMessage): SessionStep {
  switch (message.type) {
    case "sync.snapshot":
      return takeSnapshot(state, message);
    case "sync.changes":
      return takeChanges(state, message);
    case "sync.position":
      return isBehind(state.desired, message) ? askOnce(state) : { state, outputs: [] };
    case "mesh.left":
      if (message.meshId !== state.meshId) return ignore(state, "left another mesh");
      return { state, outputs: [{ type: "left", reason: message.reason }] };
    case "error":
      return { state, outputs: [{ type: "refused", code: message.code, message: message.message }] };
  }
}

function takeSnapshot(state: SessionState, message: SyncSnapshot): SessionStep {
  const { desired } = state;
  const { mesh, members, epoch, revision, duties, policies } = message;
  if (mesh.id !== state.meshId) return ignore(state, "snapshot of another mesh");
  const isOlder = desired !== null && desired.epoch === epoch && revision < desired.revision;
  if (isOlder && state.asked !== "everything") return askEverything(state);
  const announcements = applyAnnouncements([], message.announcements);
  const next: DesiredMesh = { mesh, epoch, revision, members: sortMembers(members), announcements, duties, policies };
  const isSame =
    desired?.epoch === epoch && desired.revision === revision && JSON.stringify(desired) === JSON.stringify(next);
  return { state: { ...state, desired: next, asked: "nothing" }, outputs: isSame ? [] : [{ type: "changed" }] };
}

function takeChanges(state: SessionState, message: SyncChanges): SessionStep {
  const { desired } = state;
  if (desired === null || desired.epoch !== message.epoch) return askOnce(state);
  if (message.since > desired.revision) return askOnce(state);
  if (message.mesh !== undefined && message.mesh.id !== state.meshId) return ignore(state, "changes of another mesh");
  if (message.revision <= desired.revision) return { state: answered(state), outputs: [] };
  const next: DesiredMesh = {
    mesh: message.mesh ?? desired.mesh,
    epoch: desired.epoch,
    revision: message.revision,
    members: applyRows(desired.members, message.changed, message.removed),
    announcements: desired.announcements && applyAnnouncements(desired.announcements, message.announcements),
    duties: message.duties ?? desired.duties,
    policies: message.duties === undefined ? desired.policies : message.policies,
  };
  return { state: { ...state, desired: next, asked: "nothing" }, outputs: [{ type: "changed" }] };
}

/**
 * Rows are the members' state at the message's revision, so a row both changed and removed since is only in one of the lists. Rows that did
 * not change stay the same objects, at the cost of a search for each that did: what is made of a row can be kept beside it.
 */
function applyRows(members: readonly PeerRow[], changed: readonly PeerRow[], removed: readonly MachineId[]): PeerRow[] {
  const rows = [...members];
  for (const machineId of removed) {
    const at = findPlace(rows, machineId);
    if (rows[at]?.machineId === machineId) rows.splice(at, 1);
  }
  for (const row of changed) {
    const at = findPlace(rows, row.machineId);
    rows.splice(at, rows[at]?.machineId === row.machineId ? 1 : 0, row);
  }
  return rows;
}

/** By id. A row without machines is gone; without changes the list stays the same object. */
function applyAnnouncements(known: AnnouncementRow[], changed: readonly AnnouncementRow[]): AnnouncementRow[] {
  if (changed.length === 0) return known;
  const rows = new Map([...known, ...changed].map((row) => [row.id, row]));
  return [...rows.values()].filter(({ machineIds }) => machineIds.length > 0).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Where the member is among sorted rows, or would be. */
function findPlace(rows: readonly PeerRow[], machineId: MachineId): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row !== undefined && row.machineId < machineId) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By id: the same members always give the same text on disk. */
function sortMembers(members: readonly PeerRow[]): PeerRow[] {
  return [...members].sort((a, b) => (a.machineId < b.machineId ? -1 : a.machineId > b.machineId ? 1 : 0));
}

function heartbeat(state: SessionState): SessionStep {
  const { desired, asked } = state;
  if (desired === null || !isWhole(desired) || asked === "everything") return ask(state, asked);
  return {
    state: answered(state),
    outputs: [{ type: "send_heartbeat", position: toPosition(desired) }],
  };
}

/** An answer that does not come is not waited for twice: the heartbeat asks again. */
function askOnce(state: SessionState): SessionStep {
  return state.asked === "nothing" ? ask(state, "changes") : { state, outputs: [] };
}

function askEverything(state: SessionState): SessionStep {
  return {
    state: { ...state, asked: "everything" },
    outputs: [
      note("warn", "the mesh object is behind this machine: asking for everything"),
      { type: "send_hello", position: null },
    ],
  };
}

function ask(state: SessionState, what: SessionState["asked"]): SessionStep {
  const { desired } = state;
  const position = desired === null || !isWhole(desired) || what === "everything" ? null : toPosition(desired);
  return {
    state: { ...state, asked: position === null ? "everything" : "changes" },
    outputs: [{ type: "send_hello", position }],
  };
}

/** What an agent kept that knew of no announcements lacks them: changes since then would not bring those from before. */
const isWhole = ({ announcements }: DesiredMesh): boolean => announcements !== null;

const answered = (state: SessionState): SessionState =>
  state.asked === "nothing" ? state : { ...state, asked: "nothing" };

function isBehind(desired: DesiredMesh | null, position: Position): boolean {
  return desired === null || desired.epoch !== position.epoch || desired.revision < position.revision;
}

export function toPosition(desired: Pick<DesiredMesh, "epoch" | "revision">): Position {
  return { epoch: desired.epoch, revision: desired.revision };
}

const note = (level: "debug" | "warn", text: string): SessionOutput => ({ type: "note", level, text });
const ignore = (state: SessionState, text: string): SessionStep => ({ state, outputs: [note("warn", text)] });
