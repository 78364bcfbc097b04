// What the list of machines shows, as it stands in the URL.
export const MACHINE_STATES = ["online", "offline", "problems"] as const;
export type MachineState = (typeof MACHINE_STATES)[number];

export interface MachineSearch {
  readonly q?: string;
  readonly state?: MachineState;
  /** The id of a mesh, or `none`. */
  readonly mesh?: string;
  readonly tag?: string;
  readonly sort?: string;
  /** `machine`: the dialog is open. */
  readonly add?: "machine";
}

const isState = (value: unknown): value is MachineState => (MACHINE_STATES as readonly unknown[]).includes(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

export const parseMachineSearch = ({ q, state, mesh, tag, sort, add }: Record<string, unknown>): MachineSearch => ({
  ...(isText(q) ? { q } : {}),
  ...(isState(state) ? { state } : {}),
  ...(isText(mesh) ? { mesh } : {}),
  ...(isText(tag) ? { tag } : {}),
  ...(isText(sort) ? { sort } : {}),
  ...(add === "machine" ? { add } : {}),
});
