// The demo's live table, as text: each machine, and how it talks to each other one. Pure.
import type { PathKind } from "#schema/path";
import { renderColouredTable } from "./coloured-table.ts";

export interface MachineRow {
  readonly name: string;
  /** Where it stands: `easy NAT`, `public`. */
  readonly place: string;
  readonly meshIp: string | null;
  /** By the peer's name; a peer that is not known yet is left out. */
  readonly peers: ReadonlyMap<string, PeerCell>;
  /** What is wrong, in words; null when nothing is. */
  readonly problem: string | null;
}

export interface PeerCell {
  readonly path: PathKind;
  readonly latencyMs: number | null;
  /** Why it is not direct; null when it is, or nothing was said. */
  readonly reason: string | null;
}

export function renderTable(rows: readonly MachineRow[], { isColoured = false } = {}): string {
  const names = rows.map((row) => row.name);
  const headings = ["MACHINE", "NETWORK", "MESH IP", ...names, ""];
  const lines = rows.map((row) => {
    const others = names.filter((name) => name !== row.name).map((name) => row.peers.get(name));
    return {
      cells: [
        row.name,
        row.place,
        row.meshIp ?? "joining …",
        ...names.map((name) => (name === row.name ? "" : renderCell(row.peers.get(name)))),
        row.problem ?? "",
      ],
      isWhole: row.problem === null && others.every((cell) => cell !== undefined && cell.path !== "none"),
    };
  });
  return renderColouredTable(headings, lines, { isColoured });
}

/** Each reason for which pairs are not direct once, with the pairs: `alice – olga, bob – olga: relayed: …`. */
export function renderReasons(rows: readonly MachineRow[]): string[] {
  const given = new Map<string, string[]>();
  const names = rows.map((row) => row.name);
  for (const { name, peers } of rows)
    for (const [peer, { reason }] of peers) {
      if (reason === null || names.indexOf(peer) < names.indexOf(name)) continue;
      given.set(reason, [...(given.get(reason) ?? []), `${name} – ${peer}`]);
    }
  return [...given].map(([reason, pairs]) => `${pairs.join(", ")}: ${reason}`);
}

function renderCell(cell: PeerCell | undefined): string {
  if (!cell) return "…";
  if (cell.path === "none") return "–";
  return cell.latencyMs === null ? cell.path : `${cell.path} ${Math.max(1, Math.round(cell.latencyMs))} ms`;
}
