// What can go wrong between two machines, as data, so that a property test can draw any sequence of it.
import fc from "fast-check";
import { GATE_NAMES, type GateName, type SimulatedPair } from "./simulated-pair.ts";

export type Disturbance =
  | { readonly kind: "cut"; readonly from: "both" | "m0" | "m1" }
  | { readonly kind: "heal" }
  | { readonly kind: "loss"; readonly ratio: number }
  | { readonly kind: "reboot_gate" | "toggle_agent"; readonly index: 0 | 1 }
  | { readonly kind: "move"; readonly index: 0 | 1; readonly gate: GateName }
  | { readonly kind: "toggle_control" | "toggle_relay" | "break_relay" };

export interface Pause {
  readonly afterMs: number;
}

const index = fc.constantFrom<0 | 1>(0, 1);
export const gateName = fc.constantFrom(...GATE_NAMES);

const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  fc.record({
    kind: fc.constant("cut" as const),
    from: fc.constantFrom("both" as const, "m0" as const, "m1" as const),
  }),
  fc.record({ kind: fc.constant("heal" as const) }),
  fc.record({ kind: fc.constant("loss" as const), ratio: fc.constantFrom(0.02, 0.1) }),
  fc.record({ kind: fc.constantFrom("reboot_gate" as const, "toggle_agent" as const), index }),
  fc.record({ kind: fc.constant("move" as const), index, gate: gateName }),
  fc.record({ kind: fc.constantFrom("toggle_control" as const, "toggle_relay" as const, "break_relay" as const) }),
);
/** From one on top of the other to long enough for everything to settle. */
const pause = fc.oneof(fc.integer({ min: 50, max: 3_000 }), fc.integer({ min: 3_000, max: 60_000 }));

export const disturbances = fc.array(fc.tuple(disturbance, pause), { maxLength: 8 });

export interface Disturbed {
  apply(disturbance: Disturbance): void;
  /** Everything works again; gates stay what they are. */
  calm(): void;
  /** A relay can be had: the control plane, the relay and both agents are there. */
  isRelayable(): boolean;
  gates(): readonly [GateName, GateName];
}

export function createDisturbed(pair: SimulatedPair, gatesAtFirst: readonly [GateName, GateName]): Disturbed {
  const { faults } = pair.network;
  const gates: [GateName, GateName] = [...gatesAtFirst];
  const isStopped: [boolean, boolean] = [false, false];

  function setStopped(index: 0 | 1, next: boolean): void {
    isStopped[index] = next;
    pair.setStopped(index, next);
  }
  function heal(): void {
    faults.cutFrom.clear();
    faults.lossRatio = 0;
  }

  return {
    gates: () => gates,
    isRelayable: () => pair.world.isControlUp && pair.world.isRelayUp && !isStopped[0] && !isStopped[1],
    apply(one) {
      switch (one.kind) {
        case "cut":
          for (const name of one.from === "both" ? ["m0", "m1"] : [one.from]) faults.cutFrom.add(name);
          return;
        case "heal":
          heal();
          return;
        case "loss":
          faults.lossRatio = one.ratio;
          return;
        case "reboot_gate":
          pair.rebootGate(one.index);
          return;
        case "toggle_agent":
          setStopped(one.index, !isStopped[one.index]);
          return;
        case "move":
          gates[one.index] = one.gate;
          pair.move(one.index, one.gate);
          return;
        case "toggle_control":
          pair.setControlUp(!pair.world.isControlUp);
          return;
        case "toggle_relay":
          pair.setRelayUp(!pair.world.isRelayUp);
          return;
        case "break_relay": {
          const wasUp = pair.world.isRelayUp;
          pair.setRelayUp(false);
          pair.setRelayUp(wasUp);
        }
      }
    },
    calm() {
      heal();
      if (!pair.world.isControlUp) pair.setControlUp(true);
      if (!pair.world.isRelayUp) pair.setRelayUp(true);
      for (const which of [0, 1] as const) if (isStopped[which]) setStopped(which, false);
    },
  };
}

/** A small generator of numbers from 0 to 1 (mulberry32), so that a seed gives the same run every time. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
