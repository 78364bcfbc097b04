import { PathKind, PeerConnectivity } from "#schema/path";

export interface PeerSearch {
  readonly q?: string;
  readonly status?: PeerConnectivity;
  readonly path?: PathKind;
  readonly sort?: string;
  /** The row that is open: mesh and machine. */
  readonly open?: string;
}

export function parsePeerSearch({ q, status, path, sort, open }: Record<string, unknown>): PeerSearch {
  const connectivity = PeerConnectivity.safeParse(status);
  const kind = PathKind.safeParse(path);
  return {
    ...(typeof q === "string" && q !== "" ? { q } : {}),
    ...(connectivity.success ? { status: connectivity.data } : {}),
    ...(kind.success ? { path: kind.data } : {}),
    ...(typeof sort === "string" ? { sort } : {}),
    ...(typeof open === "string" ? { open } : {}),
  };
}
