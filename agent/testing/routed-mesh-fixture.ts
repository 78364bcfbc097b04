// Meshes as routing sees them: members by number, with an address that has it.
import { DesiredMesh } from "#schema/desired-state";
import type { Prefix } from "#schema/prefix";
import type { RoutedMesh } from "../routing/routed-mesh.ts";
import { toMachineId, toMeshId } from "./bird-fixture.ts";
import { keyOf } from "./desired-devices.ts";

export interface RoutedMeshFixture {
  /** Of the mesh: 77 is 10.77.0.0/16 and fd77::/64. */
  readonly number?: number;
  /** How many members, from 1 on. */
  readonly count?: number;
  readonly gateways?: readonly number[];
  /** What each announces: `{ lan: { prefixes: ["192.168.50.0/24"], machines: [2] } }` */
  readonly announced?: readonly {
    readonly prefixes: readonly (Prefix | string)[];
    readonly machines: readonly number[];
  }[];
  readonly routeReflectorMode?: boolean;
}

export const toRouteId = (index: number): string => `rt_${String(index).padStart(26, "0")}`;

export function routedMesh(fixture: RoutedMeshFixture = {}): RoutedMesh {
  const { number = 77, count = 2, gateways = [], announced = [], routeReflectorMode = false } = fixture;
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const desired = DesiredMesh.parse({
    mesh: {
      ...{ id: toMeshId(number), name: `mesh-${number}`, asn: 4_200_000_000 + number, routeReflectorMode },
      cidr: `10.${number}.0.0/16`,
      cidr6: `fd${number}::/64`,
    },
    epoch: "e",
    revision: 1,
    members: numbers.map((member) => ({
      machineId: toMachineId(member),
      name: `member-${member}`,
      address: `10.${number}.0.${member}`,
      address6: `fd${number}::${member}`,
      publicKey: keyOf(String.fromCharCode(65 + (member % 26))),
      candidates: [],
      isGateway: gateways.includes(member),
    })),
    announcements: announced.map(({ prefixes, machines }, index) => ({
      id: toRouteId(index),
      prefixes,
      machineIds: machines.map(toMachineId),
    })),
  });
  return { desired, device: { interfaceName: `bkt-${number}`, listenPort: 51_800 + (number % 100) } };
}
