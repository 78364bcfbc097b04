import type { ErrorCode } from "#schema/errors";
import { err, ok, type Result } from "#schema/result";
import { type Failure, fieldFailure } from "../failure.ts";
import type { AnnouncementRecord } from "../mesh-object/announcements/announcement.ts";
import type { AnnouncementView } from "../mesh-object/announcements/announcement-view.ts";
import type { AnnouncementError } from "../mesh-object/announcements/change-announcements.ts";

const MISSING = { route: "route_not_found", vip: "vip_not_found" } as const;

/** What a mesh answered, as an operation with these codes says it. */
export function toOutcome<Item, Code extends ErrorCode>(
  result: Result<AnnouncementView, AnnouncementError>,
  {
    kind,
    codes,
    toItem,
  }: {
    readonly kind: AnnouncementRecord["kind"];
    readonly codes: readonly Code[];
    readonly toItem: (record: AnnouncementView) => Item;
  },
): Result<Item, Failure<Code>> {
  if (result.ok) return ok(toItem(result.value));
  return err(toDeclared(toFailure(result.error, kind), codes));
}

export function toDeclared<Code extends ErrorCode>(failure: Failure, codes: readonly Code[]): Failure<Code> {
  const code = codes.find((declared) => declared === failure.code);
  if (code === undefined) throw new Error(`${failure.code} is no answer of this operation`);
  return { ...failure, code };
}

/** With the field at fault and what to do about it. */
export function toFailure(error: AnnouncementError, kind: AnnouncementRecord["kind"]): Failure {
  switch (error.code) {
    case "mesh_not_found":
      return { code: error.code };
    case "announcement_not_found":
      return { code: MISSING[kind] };
    case "name_taken":
      return fieldFailure(error.code, "name", `another ${kind === "vip" ? "VIP" : kind} of this mesh has this name`);
    case "limit_reached":
      return { code: error.code, detail: `a mesh has at most ${error.limit} of them` };
    case "member_not_found":
      return fieldFailure(error.code, `machineIds.${error.index}`, `${error.machineId} is not in this mesh`);
    case "prefix_taken":
      return fieldFailure(
        error.code,
        `prefixes.${error.index}`,
        `the route ${error.holderName} has ${error.prefix}: if it is the same network, add the machine to that route`,
      );
    case "cidr_overlap":
      return fieldFailure(
        error.code,
        `prefixes.${error.index}`,
        `${error.prefix} overlaps ${error.cidr}, the mesh's own network: announce the parts beside it`,
      );
    case "default_route_not_allowed":
      return fieldFailure(
        error.code,
        `prefixes.${error.index}`,
        `${error.prefix} is a default route, or a part of one: set allowsDefaultRoute to true if that is meant`,
      );
    case "address_taken":
      return fieldFailure(error.code, "address", "a member or another VIP has this address");
    case "address_outside_mesh":
      return fieldFailure(
        error.code,
        "address",
        "must be a host address of the mesh's network; a route with a prefix of one host announces any other",
      );
  }
}
