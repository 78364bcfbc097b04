// Everything that the reconciler can do to the system: one line for each kind of step and what it needs. `Step` and the table of
// executors are derived from it, so a step without an executor does not compile.
import type { MeshId } from "#schema/ids";
import type { LinkChanges } from "../net/ip.ts";
import type { Forwarding } from "../net/nft/forward-rules.ts";
import type { LanGuard } from "../net/nft/lan-rules.ts";
import type { PeerChange } from "../wireguard/peer-change.ts";
import type { DeviceSettings } from "../wireguard/wireguard.ts";
import type { DesiredDevice } from "./desired-device.ts";
import type { LanMark } from "./lan-marks.ts";

export interface StepArgs {
  "interface.remove": { readonly isGuarded: boolean };
  "interface.create": null;
  "link.configure": LinkChanges;
  /** Where packets may go; whether rules are to say so (without: off, and nothing to keep back). */
  "link.forward": Forwarding & { readonly isGuarded: boolean };
  "device.configure": DeviceSettings & Pick<DesiredDevice, "publicKey">;
  "peers.change": readonly PeerChange[];
  /** Of the machine's own interfaces, those that lead to announced networks: once for all meshes. */
  "lan.forward": {
    readonly on: readonly LanMark[];
    readonly off: readonly LanMark[];
    readonly guards: readonly LanGuard[];
    /** What is ours to switch off, from then on. */
    readonly marks: readonly LanMark[];
  };
}

export type StepName = keyof StepArgs;

export type StepOf<N extends StepName> = {
  readonly name: N;
  readonly interfaceName: string;
  /** Null: of no mesh that is known, for a blank interface. */
  readonly meshId: MeshId | null;
  /** Why: what is there and what should be. For the log. */
  readonly reason: string;
  readonly args: StepArgs[N];
};

export type Step = { [N in StepName]: StepOf<N> }[StepName];
