// Answers to "this is where I stand", over the mesh's storage. The snapshot's text is kept and serves every member that asks for it; it may
// lag a little behind, then the changes since follow it. So a thousand members that come at once don't cost a thousand snapshots.
import type { MachineId } from "#schema/ids";
import type { AnnouncementStorage } from "../announcements/announcement-storage.ts";
import type { PolicyStorage } from "../policies/policy-storage.ts";
import type { MeshRecord, MeshStorage } from "../storage.ts";
import {
  type Delta,
  isResumable,
  type Position,
  readDelta,
  renderChanges,
  renderOwn,
  renderPosition,
  renderSnapshot,
  withOwn,
} from "./sync.ts";

/** Who asks, and from where. */
export interface Asker {
  readonly machineId: MachineId;
  readonly position: Position | null;
}

export interface Replies {
  /** Brings the asker up to date, in one or two messages. Its own duties and policies are told whether they changed or not. */
  welcome(mesh: MeshRecord, asker: Asker): string[];
  /** As `welcome`, but those are told only when they changed. */
  catchUp(mesh: MeshRecord, asker: Asker): string[];
  /** As `catchUp`, but only confirms a position that is up to date. */
  confirm(mesh: MeshRecord, asker: Asker & { readonly position: Position }): string[];
  /** One message for each asker; every changed row is read and rendered once. */
  catchUpMany(mesh: MeshRecord, positions: readonly Position[]): (asker: Asker) => string[];
}

/** A kept snapshot is used while it lags at most this many revisions: less than making a new one costs in all but tiny meshes. */
const MAX_SNAPSHOT_LAG = 64;

export function createReplies(parts: {
  readonly storage: MeshStorage;
  readonly announcements: AnnouncementStorage;
  readonly policies: Pick<PolicyStorage, "readOf">;
}): Replies {
  const { storage, announcements, policies } = parts;
  let kept: { readonly position: Position; readonly text: string } | null = null;

  function snapshotOf(mesh: MeshRecord): { position: Position; text: string } {
    const isUsable =
      kept !== null &&
      isResumable(mesh, kept.position) &&
      mesh.revision - kept.position.revision <= Math.min(MAX_SNAPSHOT_LAG, mesh.memberCount / 8);
    if (!isUsable || kept === null) {
      const { epoch, revision } = mesh;
      const text = renderSnapshot(mesh, storage.readVisibleSince(-1), announcements.listSince(0));
      kept = { position: { epoch, revision }, text };
    }
    return kept;
  }

  /** The same for whoever stands there. */
  function tellShared(mesh: MeshRecord, position: Position | null): string[] {
    if (isResumable(mesh, position)) {
      return [renderChanges(readDelta(parts, mesh, position.revision), position.revision)];
    }
    const snapshot = snapshotOf(mesh);
    const rest = snapshot.position.revision < mesh.revision ? tellShared(mesh, snapshot.position) : [];
    return [snapshot.text, ...rest];
  }

  function welcome(mesh: MeshRecord, { machineId, position }: Asker): string[] {
    const own = renderOwn(announcements.listOf(machineId), policies.readOf(machineId));
    // On each of two messages: the first alone must not take away what the second gives.
    return tellShared(mesh, position).map((text) => withOwn(text, own));
  }

  function catchUp(mesh: MeshRecord, asker: Asker): string[] {
    const { machineId, position } = asker;
    const isDutyKnown = isResumable(mesh, position) && announcements.readDutyRevision(machineId) <= position.revision;
    return isDutyKnown ? tellShared(mesh, position) : welcome(mesh, asker);
  }

  const ownOf = (delta: Delta, machineId: MachineId, since: number): string | null => {
    const own = delta.own.get(machineId);
    return own === undefined || own.revision <= since ? null : own.text;
  };

  return {
    welcome,
    catchUp,
    confirm: (mesh, asker) =>
      asker.position.epoch === mesh.epoch && asker.position.revision === mesh.revision
        ? [renderPosition(mesh)]
        : catchUp(mesh, asker),
    catchUpMany(mesh, positions) {
      const revisions = positions.filter((position) => isResumable(mesh, position)).map(({ revision }) => revision);
      const delta = readDelta(parts, mesh, Math.min(...revisions, mesh.revision));
      const texts = new Map<number, string>();
      return (asker) => {
        const { machineId, position } = asker;
        if (!isResumable(mesh, position)) return catchUp(mesh, asker);
        const text = texts.get(position.revision) ?? renderChanges(delta, position.revision);
        texts.set(position.revision, text);
        const own = ownOf(delta, machineId, position.revision);
        return [own === null ? text : withOwn(text, own)];
      };
    },
  };
}
