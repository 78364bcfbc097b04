import type { DesiredMesh } from "#schema/desired-state";
import type { LocalDevice } from "../reconcile/to-desired-device.ts";

/** A mesh of this machine, as routing sees it. */
export interface RoutedMesh {
  readonly desired: DesiredMesh;
  readonly device: Pick<LocalDevice, "interfaceName" | "listenPort">;
}
