import type { Mesh, Warning } from "#schema/mesh";
import { formatQuantity } from "../../lib/format.ts";

/** What is advised of a mesh, in the words of this page: the API's own name its fields. */
export function describeWarning({ code, message }: Warning, { memberCount }: Pick<Mesh, "memberCount">): string {
  switch (code) {
    case "route_reflectors_advised":
      return `With ${formatQuantity(memberCount, "machine")}, route reflector mode is advised. Switch it on in the settings.`;
    case "single_gateway":
      return "All routes depend on one gateway. Make a second machine a gateway, so that one can fail.";
    default:
      return message.charAt(0).toUpperCase() + message.slice(1);
  }
}
