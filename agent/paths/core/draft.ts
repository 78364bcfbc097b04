// A step of the path machine at work: the state that is being made and what is to be done. It lives for one step and leaves nothing behind.
import type { Path, PathAction, PathState } from "./path-state.ts";

export interface Draft {
  state: PathState;
  readonly actions: PathAction[];
  readonly nowMs: number;
}

export function change(draft: Draft, next: Partial<PathState>): void {
  draft.state = { ...draft.state, ...next };
}

/** The path is another from here on. WireGuard is told by the new version of the decision. */
export function takePath(draft: Draft, path: Path): void {
  const { state, nowMs } = draft;
  const isSame = JSON.stringify(state.path) === JSON.stringify(path);
  change(draft, {
    path,
    version: state.version + 1,
    sinceMs: isSame ? state.sinceMs : nowMs,
    contest: null,
    rewrittenAtMs: nowMs,
  });
}

/** Something came from the peer, so it is there: what was put off because it was not is due. */
export function notePeerAlive(draft: Draft): void {
  const { state, nowMs } = draft;
  if (!state.isPeerOffline) return;
  const relay = state.relay.kind === "refused" ? { ...state.relay, retryAtMs: nowMs } : state.relay;
  change(draft, { isPeerOffline: false, relayFailures: 0, relay });
}
