// What the agent does about an upgrade that was ordered. Pure.
import { RolloutId } from "#schema/ids";
import type { UpgradeOrder } from "#schema/wire/messages";

export interface UpgradeSettings {
  /** This machine's own configuration lets the control plane upgrade its agent. */
  readonly isAllowed: boolean;
  /** Where install.sh put itself, and where it says what became of an upgrade: this agent can't write there, but for OpenRC. */
  readonly libraryDir: string;
  /** Nobody watches for the order: the agent starts install.sh itself. */
  readonly startsInstaller: boolean;
}

/** upgrade.result, as install.sh writes it: `ORDER running|ok|failed`, then why. */
export interface UpgradeResult {
  readonly orderId: RolloutId;
  readonly state: "running" | "ok" | "failed";
  readonly problem: string;
}

export function parseUpgradeResult(text: string | null): UpgradeResult | null {
  const [head = "", ...rest] = (text ?? "").split("\n");
  const [, id, state] = /^(\S+) (running|ok|failed)$/.exec(head) ?? [];
  const orderId = RolloutId.safeParse(id);
  if (!orderId.success) return null;
  return { orderId: orderId.data, state: state as UpgradeResult["state"], problem: rest.join(" ").trim() };
}

export interface UpgradeFacts {
  readonly order: UpgradeOrder;
  /** Of this agent; null: it could not be read. */
  readonly buildSha256: string | null;
  readonly settings: Pick<UpgradeSettings, "isAllowed">;
  readonly hasInstaller: boolean;
  readonly result: UpgradeResult | null;
  /** install.sh was asked for this order, and has not taken it yet. */
  readonly isAsked: boolean;
}

export type UpgradeStep =
  /** That it is there was said with hello. */
  { readonly type: "none" | "wait" | "ask" } | { readonly type: "report"; readonly problem: string };

export function planUpgrade({
  order,
  buildSha256,
  settings,
  hasInstaller,
  result,
  isAsked,
}: UpgradeFacts): UpgradeStep {
  if (buildSha256 === order.sha256) return { type: "none" };
  if (!settings.isAllowed) return { type: "report", problem: NOT_ALLOWED };
  if (!hasInstaller) return { type: "report", problem: NOT_INSTALLED };
  if (result?.orderId === order.orderId) {
    if (result.state !== "failed") return { type: "wait" };
    return { type: "report", problem: result.problem || "install.sh failed, and did not say why" };
  }
  return { type: isAsked ? "wait" : "ask" };
}

const NOT_ALLOWED =
  "This machine does not allow upgrades from the control plane. What to do: put BECKET_ALLOW_UPGRADES=yes into its /etc/default/becket and restart the agent.";
const NOT_INSTALLED =
  "The agent was not installed by install.sh here, so it can't be upgraded by it. What to do: replace it the way it was installed.";
