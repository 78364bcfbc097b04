// What gateways may bring into a mesh from others: private networks, or anything that the mesh's import policy accepts. Pure.
import type { DesiredMesh } from "#schema/desired-state";
import { Prefix } from "#schema/prefix";

const PRIVATE: readonly Prefix[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"].map(
  (text) => Prefix.parse(text),
);

/** The filters call the policy besides. */
const ANYTHING: readonly Prefix[] = ["0.0.0.0/0", "::/0"].map((text) => Prefix.parse(text));

/** These, and what is inside them; never what is inside the mesh's own networks (agent/bird/render-filters.ts). */
export const toForeignPrefixes = ({ mesh }: Pick<DesiredMesh, "mesh">): readonly Prefix[] =>
  mesh.policies.import === null ? PRIVATE : ANYTHING;
