// Who uses a policy set, as the lists of meshes and machines tell it.
import type { Machine } from "#schema/machine";
import type { Mesh } from "#schema/mesh";

interface Policed {
  readonly id: string;
  readonly name: string;
  readonly importPolicySetId: string | null;
  readonly exportPolicySetId: string | null;
}

export interface PolicySetUse {
  readonly kind: "mesh" | "machine";
  readonly id: string;
  readonly name: string;
  /** `import`, `export`, `import and export` */
  readonly as: string;
}

export const toPolicySetUses = (
  policySetId: string,
  meshes: readonly Pick<Mesh, keyof Policed>[],
  machines: readonly Pick<Machine, keyof Policed>[],
): PolicySetUse[] => [...toUses("mesh", policySetId, meshes), ...toUses("machine", policySetId, machines)];

function toUses(kind: PolicySetUse["kind"], policySetId: string, all: readonly Policed[]): PolicySetUse[] {
  return all.flatMap(({ id, name, importPolicySetId, exportPolicySetId }) => {
    const as = [
      ...(importPolicySetId === policySetId ? ["import"] : []),
      ...(exportPolicySetId === policySetId ? ["export"] : []),
    ];
    return as.length === 0 ? [] : [{ kind, id, name, as: as.join(" and ") }];
  });
}

/** `office, gateway and 2 more`; null: nobody. */
export function nameUses(uses: readonly PolicySetUse[]): string | null {
  if (uses.length === 0) return null;
  const names = uses.slice(0, 2).map(({ name }) => name);
  return uses.length > 2 ? `${names.join(", ")} and ${uses.length - 2} more` : names.join(" and ");
}
