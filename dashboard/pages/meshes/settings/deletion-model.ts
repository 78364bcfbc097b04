// What goes with a mesh when it is deleted, in sentences.
import type { Mesh } from "#schema/mesh";
import type { Route } from "#schema/route";
import type { Vip } from "#schema/vip";
import { formatQuantity } from "../../../lib/format.ts";

/** @param announcements undefined while they are not known */
export function toDeletionConsequences(
  mesh: Mesh,
  { routes, vips }: { readonly routes: readonly Route[] | undefined; readonly vips: readonly Vip[] | undefined },
): string[] {
  const { memberCount, isDefault } = mesh;
  return [
    memberCount === 0
      ? "No machine is in it."
      : `${formatQuantity(memberCount, "machine")} ${memberCount === 1 ? "leaves" : "leave"} it at once; their tunnels and addresses go.`,
    ...toLost(routes, "route"),
    ...toLost(vips, "VIP"),
    ...(isDefault ? ["It is the default mesh: new machines join none until another one is the default."] : []),
    "It can't be undone. A new mesh of the same name has other IPv6 addresses and keys.",
  ];
}

function toLost(things: readonly unknown[] | undefined, noun: string): string[] {
  if (things === undefined) return [`Its ${noun}s go with it.`];
  return things.length === 0
    ? []
    : [`${formatQuantity(things.length, noun)} ${things.length === 1 ? "goes" : "go"} with it.`];
}
