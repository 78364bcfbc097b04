// What can be said of a mesh before it is there: whether name and network are valid, how large it is, what it overlaps.
import { isOverlapping, renderIpv4, toIpv4Number } from "#schema/address";
import { hostCount, type Mesh, MeshCidr, Name } from "#schema/mesh";

export interface CidrJudgement {
  /** What is wrong; null while nothing is typed or all is well. */
  readonly error: string | null;
  /** Machines that fit; null unless it is valid. */
  readonly hosts: number | null;
  /** The first and the last address of a machine. */
  readonly range: readonly [string, string] | null;
  /** Meshes that no machine could be in besides this one. */
  readonly overlaps: readonly Pick<Mesh, "name" | "cidr">[];
}

const NOTHING: CidrJudgement = { error: null, hosts: null, range: null, overlaps: [] };

export function judgeCidr(text: string, meshes: readonly Pick<Mesh, "name" | "cidr">[]): CidrJudgement {
  if (text === "") return NOTHING;
  const parsed = MeshCidr.safeParse(text);
  if (!parsed.success) return { ...NOTHING, error: toCidrFault(text, parsed.error.issues[0]?.message) };
  const first = toIpv4Number(text.split("/")[0] ?? "");
  const hosts = hostCount(text);
  return {
    error: null,
    hosts,
    range: [renderIpv4(first + 1), renderIpv4(first + hosts)],
    overlaps: meshes.filter(({ cidr }) => isOverlapping(cidr, text)),
  };
}

/** Host bits are the usual slip: then the network that is meant is named. */
function toCidrFault(text: string, message = "must be an IPv4 network like 10.1.0.0/16"): string {
  const meant = toNetwork(text);
  return meant !== null && meant !== text ? `has host bits: did you mean ${meant}?` : message;
}

function toNetwork(text: string): string | null {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text);
  const [, address = "", length = ""] = match ?? [];
  if (match === null || Number(length) > 32 || address.split(".").some((octet) => Number(octet) > 255)) return null;
  const size = 2 ** (32 - Number(length));
  const number = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return `${renderIpv4(number - (number % size))}/${Number(length)}`;
}

export function judgeName(text: string, taken: readonly string[]): string | null {
  if (text === "") return null;
  const parsed = Name.safeParse(text);
  if (!parsed.success) return parsed.error.issues[0]?.message ?? "is not valid";
  return taken.includes(text) ? "is taken" : null;
}

/** A /16 that overlaps no mesh; null when every one does. */
export function suggestCidr(meshes: readonly Pick<Mesh, "cidr">[]): string | null {
  for (let second = 77; second < 77 + 256; second++) {
    const cidr = `10.${second % 256}.0.0/16`;
    if (!meshes.some((mesh) => isOverlapping(mesh.cidr, cidr))) return cidr;
  }
  return null;
}
