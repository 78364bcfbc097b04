// The policies of a mesh and of a machine in its BIRD: their functions, and the statements that call them. Pure. Every call can only refuse or
// change what the filter around it would have taken: what members may announce stays what the control plane authorised.
import type { Policies } from "#schema/policy";
import type { BirdConfig } from "./bird-config.ts";
import { toCopyMark } from "./copy-mark.ts";
import { renderPolicy, renderPolicyBound } from "./render-policy.ts";

type Family = "ipv4" | "ipv6";
const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

export function renderPolicyFunctions(config: BirdConfig): string[] {
  const { meshPolicies, machinePolicies, asn, gatewayLinks, members } = config;
  const bringsAny = members.some(({ isGateway }) => isGateway);
  return FAMILIES.flatMap((family) => {
    const at = (side: "import" | "export", prepended: string | null, of: Policies, owner: string) => {
      const policy = of[side];
      return policy === null ? [] : [renderPolicy({ name: `${owner}_${side}_${family}`, family, policy, prepended })];
    };
    const bound = meshPolicies.import;
    return [
      ...(gatewayLinks.length === 0 ? [] : at("import", "bgp_path.first", meshPolicies, "mesh")),
      ...(gatewayLinks.length === 0 ? [] : at("export", `${asn}`, meshPolicies, "mesh")),
      ...(bound === null || !bringsAny
        ? []
        : [renderPolicyBound({ name: `mesh_import_bound_${family}`, family, policy: bound })]),
      // Inside a mesh nothing is prepended: who hears its own AS takes the route for a loop.
      ...at("import", null, machinePolicies, "machine"),
      ...at("export", null, machinePolicies, "machine"),
    ];
  });
}

/** What a gateway's link takes. */
export const renderLinkImport = ({ meshPolicies }: BirdConfig, family: Family): string[] =>
  meshPolicies.import === null ? [] : [`if !mesh_import_${family}() then reject;`];

/** A condition for what gateways bring from other meshes, with what joins it to the next. They had the whole policy decide already. */
export const renderBroughtBound = ({ meshPolicies }: BirdConfig, family: Family): string =>
  meshPolicies.import === null ? "" : `mesh_import_bound_${family}() && `;

/** What this machine takes from members. */
export const renderMemberImport = ({ machinePolicies }: BirdConfig, family: Family): string[] =>
  machinePolicies.import === null ? [] : [`if !machine_import_${family}() then reject;`];

/** @param exported a condition */
export const renderLinkExport = ({ meshPolicies }: BirdConfig, family: Family, exported: string): string[] =>
  meshPolicies.export === null
    ? [`export where ${exported};`]
    : renderExportFilter(exported, [`if !mesh_export_${family}() then reject;`]);

/** To members. What others announced is passed on as it is: the policy is about the machine's own routes, and those that it brings from other meshes. */
export function renderMemberExport(config: BirdConfig, family: Family, exported: string): string[] {
  const statements = [
    ...(config.machinePolicies.export === null
      ? []
      : [`if source = RTS_STATIC || proto ~ "gw_*" then if !machine_export_${family}() then reject;`]),
    // After the policy, which may take all communities away.
    ...(config.isReflected ? [`if source = RTS_STATIC then bgp_large_community.add(${toCopyMark(config)});`] : []),
  ];
  return statements.length === 0 ? [`export where ${exported};`] : renderExportFilter(exported, statements);
}

const renderExportFilter = (exported: string, statements: readonly string[]): string[] => [
  "export filter {",
  ...[`if !(${exported}) then reject;`, ...statements, "accept;"].map((line) => `  ${line}`),
  "};",
];
