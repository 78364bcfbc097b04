import { z } from "zod";
import type { LinkEvent } from "#schema/api/machine-links";
import { type MachineId, MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { readMachineWithMeshes } from "../db/machines.ts";
import type { Failure } from "../failure.ts";
import type { LinkEventPosition, PositionedLinkEvent } from "../mesh-object/rpc.ts";
import { type Page, type PageQuery, parsePageRequest, toPage } from "../page.ts";
import type { Services } from "../services.ts";

/** Where a page ended: by time, then by mesh, then by number, each descending. `1795455000000.msh_….17` */
const Cursor = z.string().refine((text) => parsePlace(text) !== null);
interface Place extends LinkEventPosition {
  readonly meshId: MeshId;
}

/** Each mesh that the machine is in is asked for a whole page, of which the newest count. */
export async function listLinkEvents(
  { db, objects }: Pick<Services, "db" | "objects">,
  machineId: MachineId,
  query: PageQuery,
): Promise<Result<Page<LinkEvent>, Failure<"cursor_invalid" | "machine_not_found">>> {
  const page = parsePageRequest(query, Cursor);
  if (!page.ok) return page;
  const { machines, memberships } = await readMachineWithMeshes(db, machineId);
  if (machines.length === 0) return err({ code: "machine_not_found" });
  const { after, limit } = page.value;
  const last = after === null ? null : parsePlace(after);
  const lists = await Promise.all(
    memberships.map(async ({ meshId }) => {
      const before = last === null ? null : toPositionIn(meshId, last);
      const events = await objects.mesh(meshId).listLinkEvents(machineId, { before, limit: limit + 1 });
      return events.map((event) => ({ ...event, meshId }));
    }),
  );
  const newest = lists.flat().sort((one, other) => compare(toPlace(other), toPlace(one)));
  return ok(
    toPage(newest, limit, {
      idOf: (row) => renderPlace(toPlace(row)),
      toItem: ({ event, meshId }) => ({ meshId, ...event }),
    }),
  );
}

/** The position in this mesh before which everything is older than the place. */
function toPositionIn(meshId: MeshId, { at, meshId: lastMeshId, number }: Place): LinkEventPosition {
  if (meshId === lastMeshId) return { at, number };
  // Of the same moment, a page shows the greater mesh id first.
  return { at, number: meshId < lastMeshId ? Number.MAX_SAFE_INTEGER : 0 };
}

const toPlace = ({ position, meshId }: PositionedLinkEvent & { meshId: MeshId }): Place => ({ ...position, meshId });

const compare = (one: Place, other: Place): number =>
  one.at - other.at ||
  (one.meshId < other.meshId ? -1 : Number(one.meshId > other.meshId)) ||
  one.number - other.number;

const renderPlace = ({ at, meshId, number }: Place): string => `${at}.${meshId}.${number}`;

function parsePlace(cursor: string): Place | null {
  const match = /^(\d{1,15})\.([^.]+)\.(\d{1,15})$/.exec(cursor);
  const meshId = MeshId.safeParse(match?.[2]);
  return match !== null && meshId.success
    ? { at: Number(match[1]), meshId: meshId.data, number: Number(match[3]) }
    : null;
}
