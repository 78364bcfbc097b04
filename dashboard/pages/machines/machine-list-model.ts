// The rows of the list of machines: what is wrong with each, which are found, and in which order.
import { toIpv4Number } from "#schema/address";
import type { Machine, Member } from "#schema/machine";
import type { NatSummary } from "#schema/nat";
import { parseSorting } from "../../components/table/columns.ts";
import { compareKeys, type SortKey, toNaturalKey } from "../../lib/sort-keys.ts";
import type { MachineSearch } from "./machine-search.ts";
import { judgeNatSummary } from "./network/nat-words.ts";

export interface MachineRow {
  readonly machine: Machine;
  /** Each in a few words. */
  readonly problems: readonly string[];
  /** Null until a mesh has told it. */
  readonly nat: NatSummary | null;
}

export interface MachineCounts {
  readonly all: number;
  readonly online: number;
  readonly offline: number;
  readonly problems: number;
}

/** What its meshes know of a machine. */
export interface MachineFacts {
  /** Steps that failed, in any of them. */
  readonly failures: readonly string[];
  readonly nat: NatSummary | null;
}
export type FactsByMachine = ReadonlyMap<string, MachineFacts>;

export const DEFAULT_MACHINE_SORT = "name";

export function toFacts(members: readonly Member[]): FactsByMachine {
  const facts = new Map<string, MachineFacts>();
  for (const { machineId, failures, nat } of members) {
    const known = facts.get(machineId) ?? NO_FACTS;
    facts.set(machineId, {
      failures: [...known.failures, ...failures.map(({ step, message }) => `${step}: ${message}`)],
      nat: nat ?? known.nat,
    });
  }
  return facts;
}

const NO_FACTS: MachineFacts = { failures: [], nat: null };

export const toMachineRows = (machines: readonly Machine[], facts: FactsByMachine): MachineRow[] =>
  machines.map((machine) => {
    const { failures, nat } = facts.get(machine.id) ?? NO_FACTS;
    return { machine, problems: findProblems(machine, failures), nat };
  });

function findProblems({ agent, meshes, online }: Machine, failures: readonly string[]): string[] {
  return [
    ...failures,
    ...(agent?.wireguard === "missing" ? ["WireGuard is missing"] : []),
    ...(online && agent === null ? ["the agent has told nothing yet"] : []),
    ...(meshes.length === 0 ? ["in no mesh"] : []),
  ];
}

export const countMachines = (rows: readonly MachineRow[]): MachineCounts => ({
  all: rows.length,
  online: rows.filter(({ machine }) => machine.online).length,
  offline: rows.filter(({ machine }) => !machine.online).length,
  problems: rows.filter(({ problems }) => problems.length > 0).length,
});

export function selectMachines(rows: readonly MachineRow[], search: MachineSearch): MachineRow[] {
  const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(
    (row) =>
      isInState(row, search.state) &&
      isInMesh(row.machine, search.mesh) &&
      (search.tag === undefined || row.machine.tags.includes(search.tag)) &&
      words.every((word) => toText(row).includes(word)),
  );
  return sortMachines(found, search.sort ?? DEFAULT_MACHINE_SORT);
}

function isInState({ machine, problems }: MachineRow, state: MachineSearch["state"]): boolean {
  if (state === undefined) return true;
  return state === "problems" ? problems.length > 0 : machine.online === (state === "online");
}

function isInMesh({ meshes }: Machine, mesh: string | undefined): boolean {
  if (mesh === undefined) return true;
  return mesh === "none" ? meshes.length === 0 : meshes.some(({ meshId }) => meshId === mesh);
}

/** All that machines have, in the order of the alphabet. */
export const listTags = (rows: readonly MachineRow[]): string[] =>
  [...new Set(rows.flatMap(({ machine }) => machine.tags))].sort();

const toText = ({ machine: { name, id, meshes, agent, tags } }: MachineRow): string =>
  [
    name,
    id,
    ...tags,
    agent?.agentVersion ?? "",
    ...meshes.flatMap(({ meshName, address, address6 }) => [meshName, address, address6]),
  ]
    .join(" ")
    .toLowerCase();

/** Without a mesh: at the end. */
const toAddressKey = ({ meshes: [first] }: Machine): number =>
  first === undefined ? Number.POSITIVE_INFINITY : toIpv4Number(first.address);

/** Sorts behind every other text. */
const LAST = "\uffff";

const toName = ({ machine }: MachineRow): string => toNaturalKey(machine.name);

const KEYS: Readonly<Record<string, (row: MachineRow) => SortKey>> = {
  name: toName,
  // Online first, then whoever was seen last.
  seen: ({ machine }) =>
    machine.online ? 0 : -Date.parse(machine.lastSeenAt ?? "1970-01-01T00:00:00Z") + Number.MAX_SAFE_INTEGER,
  address: ({ machine }) => toAddressKey(machine),
  nat: ({ nat }) => (nat === null ? LAST : judgeNatSummary(nat).title),
  agent: ({ machine }) => (machine.agent === null ? LAST : toNaturalKey(machine.agent.agentVersion)),
  problems: ({ problems }) => -problems.length,
};

function sortMachines(rows: readonly MachineRow[], sort: string): MachineRow[] {
  const { columnId, isDescending } = parseSorting(sort);
  const key = KEYS[columnId] ?? toName;
  const sign = isDescending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: key(row), name: toName(row) }));
  keyed.sort((a, b) => sign * compareKeys(a.key, b.key) || compareKeys(a.name, b.name));
  return keyed.map(({ row }) => row);
}
