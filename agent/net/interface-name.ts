// Names of our interfaces, and how we know that an interface is ours. Pure.
import { MeshId } from "#schema/ids";

export const INTERFACE_PREFIX = "bkt-";
/** IFNAMSIZ, without its terminating zero (Linux, netdevice(7)). */
export const MAX_INTERFACE_NAME_LENGTH = 15;

/** `bkt-` and the start of the mesh's name; numbered where another mesh on this machine has that already. Then kept. */
export function toInterfaceName(meshName: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? "" : `-${number}`;
    const room = MAX_INTERFACE_NAME_LENGTH - INTERFACE_PREFIX.length - suffix.length;
    const name = `${INTERFACE_PREFIX}${meshName.slice(0, room).replace(/-+$/, "")}${suffix}`;
    if (!taken.has(name)) return name;
  }
}

const ALIAS_PREFIX = "becket ";

/** The alias (`ip link … alias`) that marks an interface as ours. The name alone would not: anybody may use it. */
export function renderAlias(meshId: MeshId): string {
  return `${ALIAS_PREFIX}${meshId}`;
}

/** The mesh that an interface with this alias was made for; null when the alias is not ours. */
export function parseAlias(alias: string | null): MeshId | null {
  const id = MeshId.safeParse(alias?.startsWith(ALIAS_PREFIX) ? alias.slice(ALIAS_PREFIX.length) : null);
  return id.success ? id.data : null;
}
