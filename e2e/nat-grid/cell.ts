// What the grid writes and prints.
import { z } from "zod";
import { PathKind, PathReason } from "#schema/path";
import { NETWORK_KINDS } from "./kinds.ts";

const Kind = z.enum(NETWORK_KINDS);

export const Cell = z.object({
  from: Kind,
  to: Kind,
  expected: z.enum(["direct", "relayed"]),
  /** From the API's call that puts the second machine into the mesh to the first answered ping; null: none was answered. */
  firstPingMs: z.number().nullable(),
  /** The path that it came to, where both ends say the same; else what `from` says. */
  path: PathKind,
  /** From the same moment until both ends had a direct path; null: never. */
  directMs: z.number().nullable(),
  /** Why it is not direct, in the agents' words; null where it is. */
  reason: PathReason.nullable(),
  /** Where packets go on the direct path, seen by `from`; null on any other. */
  endpoint: z.string().nullable(),
  /** What is not as expected, in words; null when all is. */
  problem: z.string().nullable(),
});
export type Cell = z.infer<typeof Cell>;

const Spread = z.object({ p50: z.number().nullable(), p95: z.number().nullable() });
const Runs = Spread.extend({
  runs: z.number().int(),
  /** Runs that became direct; the spread is of these. */
  direct: z.number().int(),
});

export const GridResult = z.object({
  cells: z.number().int(),
  /** Cells whose first ping was answered. */
  reachable: z.number().int(),
  directExpected: z.number().int(),
  /** Cells that are direct, of those that are to be. */
  direct: z.number().int(),
  firstPingMs: Spread,
  easyEasyDirectMs: Runs,
  easyHardDirectMs: Runs,
  /** Cells and repeated runs that are not as expected. */
  problems: z.array(z.string()),
  cellsDetail: z.array(Cell),
});
export type GridResult = z.infer<typeof GridResult>;
