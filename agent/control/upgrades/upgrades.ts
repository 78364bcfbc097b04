// Upgrades that the control plane orders, for as long as one is ordered. The agent can't replace itself: it asks install.sh, which runs outside of
// the agent's box and looks at everything again, and tells the control plane when that failed. That it went well is seen in the next agent's hello.
import type { RolloutId } from "#schema/ids";
import type { ToMachineMessage, UpgradeOrder } from "#schema/wire/messages";
import type { Clock } from "../../system/clock.ts";
import type { Exec } from "../../system/exec.ts";
import type { Files } from "../../system/files.ts";
import type { Logger } from "../../system/logger.ts";
import { parseUpgradeResult, planUpgrade, type UpgradeSettings } from "./plan-upgrade.ts";

export interface Upgrades {
  /** What the machine's state says; null: nothing is ordered. */
  setOrder(order: UpgradeOrder | null): void;
  stop(): void;
  /** Resolves when nothing that was begun goes on. */
  whenIdle(): Promise<void>;
}

export interface UpgradeOptions {
  readonly stateDir: string;
  readonly buildSha256: string | null;
  readonly settings: UpgradeSettings;
  readonly send: (message: ToMachineMessage) => void;
}

export interface UpgradePorts {
  readonly files: Files;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is looked what became of it. */
const LOOK_MS = 2_000;

export function createUpgrades({ files, exec, clock, log }: UpgradePorts, options: UpgradeOptions): Upgrades {
  const { stateDir, buildSha256, settings } = options;
  const wantedFile = `${stateDir}/upgrade.wanted`;
  const resultFile = `${settings.libraryDir}/upgrade.result`;
  let order: UpgradeOrder | null = null;
  /** What this process asked for. */
  let asked: RolloutId | null = null;
  /** A file of before may be there: what was withdrawn must not be carried out later. */
  let isTidy = !settings.isAllowed;
  let working: Promise<void> = Promise.resolve();
  let cancelLook = () => {};
  let isStopped = false;

  function look(): void {
    cancelLook();
    working = working.then(async () => {
      if (isStopped) return;
      try {
        await act();
      } catch (error) {
        log.warn("an upgrade could not be looked after", { error });
        if (order !== null) report(order, `The agent could not ask for the upgrade: ${toText(error)}.`);
      }
    });
  }

  async function act(): Promise<void> {
    if (order === null) return tidy();
    const current = order;
    const step = planUpgrade({
      ...{ order: current, buildSha256, settings },
      ...(settings.isAllowed ? await observe(current) : NOTHING),
    });
    if (step.type === "none") return;
    if (step.type === "report") return report(current, step.problem);
    if (step.type === "ask") await ask(current);
    if (!isStopped) cancelLook = clock.setTimer(LOOK_MS, look);
  }

  async function observe({ orderId }: UpgradeOrder) {
    const [names, result, wanted] = await Promise.all([
      files.list(settings.libraryDir),
      files.read(resultFile),
      files.read(wantedFile),
    ]);
    return {
      hasInstaller: names.includes("install.sh"),
      result: parseUpgradeResult(result),
      isAsked: asked === orderId || wanted?.startsWith(`${orderId} `) === true,
    };
  }

  async function ask({ orderId, sha256 }: UpgradeOrder): Promise<void> {
    log.info("the control plane orders another agent: install.sh is asked for it", { orderId, sha256 });
    isTidy = false;
    await files.writeAtomic(wantedFile, `${orderId} ${sha256}\n`);
    asked = orderId;
    if (!settings.startsInstaller) return;
    await exec.run(["sh", `${settings.libraryDir}/install.sh`, "--begin-upgrade"], { isDetached: true });
  }

  function report({ orderId }: UpgradeOrder, problem: string): void {
    log.warn("an upgrade that was ordered failed", { orderId, problem });
    options.send({ type: "upgrade.report", orderId, problem });
  }

  async function tidy(): Promise<void> {
    if (isTidy) return;
    await files.remove(wantedFile);
    isTidy = true;
    asked = null;
  }

  return {
    setOrder(next) {
      order = next;
      if (next !== null || !isTidy) look();
    },
    stop() {
      isStopped = true;
      cancelLook();
    },
    whenIdle: () => working,
  };
}

const NOTHING = { hasInstaller: false, result: null, isAsked: false };

const toText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
