// A VPN between alice, behind an easy NAT, and dave, who has a public address. carol, who has one too, does for it what somebody has to do.
import type { LabNode } from "../../e2e/lab/node.ts";

export interface Machines {
  readonly alice: LabNode;
  readonly carol: LabNode;
  readonly dave: LabNode;
}

export interface MeshSystem {
  readonly name: SystemName;
  readonly version: string;
  /** What alice is told beforehand, and what she has to find out. */
  readonly knows: string;
  /** Everything but alice is there already. She begins as somebody who was never there; resolves when her last command was given. */
  join(): Promise<void>;
  /** alice's part ends. */
  leave(): Promise<void>;
  /** Inside; alice's may be another one after each `join`. */
  addressOf(machine: "alice" | "dave"): Promise<string>;
  /** A part of the command line of each process that it has on alice. */
  readonly processes: readonly RegExp[];
}

export const SYSTEMS = ["handMade", "becket", "nebula", "tinc"] as const;
export type SystemName = (typeof SYSTEMS)[number];
