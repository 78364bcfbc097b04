// Answers to "this is where I stand", over the mesh's storage. The snapshot's text is kept and serves every member that asks for it; it may
// lag a little behind, then the changes since follow it. So a thousand members that come at once don't cost a thousand snapshots.
import type { MeshRecord, MeshStorage } from "../storage.ts";
import { isResumable, type Position, readDelta, renderChanges, renderPosition, renderSnapshot } from "./sync.ts";

export interface Replies {
  /** Brings whoever stands at `position` up to date, in one or two messages. */
  catchUp(mesh: MeshRecord, position: Position | null): string[];
  /** As `catchUp`, but only confirms a position that is up to date. */
  confirm(mesh: MeshRecord, position: Position): string[];
  /** One message for each position; every changed row is read and rendered once. */
  catchUpMany(mesh: MeshRecord, positions: readonly Position[]): (position: Position) => string[];
}

/** A kept snapshot is used while it lags at most this many revisions: less than making a new one costs in all but tiny meshes. */
const MAX_SNAPSHOT_LAG = 64;

export function createReplies(storage: MeshStorage): Replies {
  let kept: { readonly position: Position; readonly text: string } | null = null;

  function snapshotOf(mesh: MeshRecord): { position: Position; text: string } {
    const isUsable =
      kept !== null &&
      isResumable(mesh, kept.position) &&
      mesh.revision - kept.position.revision <= Math.min(MAX_SNAPSHOT_LAG, mesh.memberCount / 8);
    if (!isUsable || kept === null) {
      const { epoch, revision } = mesh;
      kept = { position: { epoch, revision }, text: renderSnapshot(mesh, storage.readVisibleSince(-1)) };
    }
    return kept;
  }

  function catchUp(mesh: MeshRecord, position: Position | null): string[] {
    if (isResumable(mesh, position)) {
      return [renderChanges(readDelta(storage, mesh, position.revision), position.revision)];
    }
    const snapshot = snapshotOf(mesh);
    const rest = snapshot.position.revision < mesh.revision ? catchUp(mesh, snapshot.position) : [];
    return [snapshot.text, ...rest];
  }

  return {
    catchUp,
    confirm: (mesh, position) =>
      position.epoch === mesh.epoch && position.revision === mesh.revision
        ? [renderPosition(mesh)]
        : catchUp(mesh, position),
    catchUpMany(mesh, positions) {
      const revisions = positions.filter((position) => isResumable(mesh, position)).map(({ revision }) => revision);
      const delta = readDelta(storage, mesh, Math.min(...revisions, mesh.revision));
      const texts = new Map<number, string>();
      return (position) => {
        if (!isResumable(mesh, position)) return catchUp(mesh, position);
        const text = texts.get(position.revision) ?? renderChanges(delta, position.revision);
        texts.set(position.revision, text);
        return [text];
      };
    },
  };
}
