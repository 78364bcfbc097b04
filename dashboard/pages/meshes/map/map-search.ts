import { MachineId } from "#schema/ids";

export interface MapSearch {
  /** Whose links are drawn; one that is online when left out. */
  readonly machine?: MachineId;
}

export function parseMapSearch({ machine }: Record<string, unknown>): MapSearch {
  const parsed = MachineId.safeParse(machine);
  return parsed.success ? { machine: parsed.data } : {};
}
