// Every fault by its name, in the order in which they are tried.
import { CONTROL_PLANE_FAULTS } from "./control-plane-faults.ts";
import type { MakeFault } from "./fault.ts";
import { MACHINE_FAULTS } from "./machine-faults.ts";

export const FAULTS = { ...CONTROL_PLANE_FAULTS, ...MACHINE_FAULTS } satisfies Record<string, MakeFault>;
export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
export const isFaultName = (text: string): text is FaultName => text in FAULTS;
