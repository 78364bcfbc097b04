// The machine's part in a roll-out. A turn is claimed in D1, where all machines of the roll-out are; the intention is stored here first, so that
// an interrupted claim is finished by alarm. From the claim on the order is this object's: the machine is told it with its state, and what became
// of it goes to D1 through the outbox, which then has the roll-out go on.
//
//   (nothing) ──turn──► claiming ──D1 says yes──► ordered ──hello with the build──► done ──time is over──► (nothing)
//                          └──D1 says no──► (nothing)  └──it says why not, or time is over──► failed ◄──hello with another──┘
import type { AuditAction } from "#schema/api/audit-events";
import { ID_PREFIXES, type RolloutId, renderUlid } from "#schema/ids";
import type { AgentInfo, BuildSha256 } from "#schema/machine";
import { UPGRADE_LIMIT_MS } from "#schema/rollout";
import type { UpgradeOrder } from "#schema/wire/messages";
import { type Database, runBatch } from "../../db/database.ts";
import {
  claimTurn,
  type Ending,
  endTurn,
  findOwnTurn,
  hasRoomNow,
  MACHINE_REMOVED,
  markAway,
  markBack,
  type Place,
} from "../../db/rollouts.ts";
import { type Logger, toErrorFields } from "../../log.ts";
import type { Projection } from "../../outbox/entries.ts";
import type { Outbox } from "../../outbox/outbox.ts";
import type { MachineRecord, MachineStorage } from "../storage.ts";
import { createTurns } from "../turns.ts";
import { judgeDue, judgeHello, judgeTurn, TOO_LATE, WENT_BACK } from "./judge-order.ts";
import type { UpgradeOrderRecord, UpgradeStorage } from "./upgrade-storage.ts";

/** full: the roll-out has no room, or does not run; settled: the machine needs no turn. */
export type UpgradeTurn = "ordered" | "full" | "away" | "settled";
export interface TurnRequest extends Place {
  readonly sha256: BuildSha256;
}

export interface Upgrades {
  takeTurn(request: TurnRequest): Promise<UpgradeTurn>;
  /** What the machine is told. */
  order(): UpgradeOrder | null;
  /** After what it says of itself was kept. */
  saidHello(agent: AgentInfo, before: AgentInfo | null): void;
  /** The machine says that it could not. */
  failed(orderId: RolloutId, problem: string): void;
  /** Call it in the transaction that marks the machine as removed; then drain the outbox. */
  removed(): void;
  /** By alarm: what is due, or was interrupted. */
  finish(): Promise<void>;
}

export interface UpgradeParts {
  readonly storage: MachineStorage;
  readonly orders: UpgradeStorage;
  readonly db: Database;
  readonly outbox: Pick<Outbox<Projection>, "enqueue" | "drain">;
  /** The machine is connected, and hears what it is told. */
  readonly isListening: () => boolean;
  /** The machine is to be told its new state. */
  readonly ring: () => void;
  readonly scheduleBy: (atMs: number) => void;
  readonly waitUntil: (task: Promise<unknown>) => void;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Logger;
}

/** A claim takes milliseconds; the alarm is for an object that died in the middle, and for a D1 that fails. */
const RESUME_AFTER_MS = 15_000;
/** A build that starts and then crashes is put back by install.sh, or by a person: for so long that counts as a failure of the upgrade. */
const PROOF_MS = UPGRADE_LIMIT_MS;

export function createUpgrades(parts: UpgradeParts): Upgrades {
  const { storage, orders, db, outbox, isListening, ring, scheduleBy, waitUntil, now, log } = parts;
  // Whoever has it waits for D1 at most, never for the outbox: a delivery gives turns, also to this machine, and would wait for it in a circle.
  const inTurn = createTurns<"one">();

  const readMachine = (): MachineRecord | null => {
    const machine = storage.readMachine();
    return machine === null || machine.removedAt !== null ? null : machine;
  };
  const readOrder = () => (storage.readMachine() === null ? null : orders.read());

  async function takeTurn({ sha256, ...place }: TurnRequest): Promise<UpgradeTurn> {
    const { rolloutId } = place;
    const known = orders.read();
    if (known?.rolloutId === rolloutId && known.state === "ordered") return "ordered";
    let verdict = look(sha256);
    if (verdict.code === "away") {
      await markAway(db, place);
      // It may have said hello meanwhile, and found itself not missed.
      verdict = look(sha256);
      if (verdict.code === "away") return "away";
    }
    if (verdict.code === "done" || verdict.code === "skipped") {
      const { code: state, detail } = verdict;
      await runBatch(db, endTurn(db, { ...place, state, detail, at: now() }));
      return "settled";
    }
    // D1 may have said yes to a claim of before, and then waits for its end.
    if (isUnderWay(known) && known.rolloutId !== rolloutId) settle(known, "failed", "A later roll-out took its place.");
    const dueAt = now() + RESUME_AFTER_MS;
    storage.transaction(() => {
      orders.write({ rolloutId, sha256, state: "claiming", dueAt });
      scheduleBy(dueAt);
    });
    return claim(place, sha256);
  }

  const look = (sha256: BuildSha256) =>
    judgeTurn({ agent: readMachine()?.agent ?? null, isListening: isListening() }, sha256);

  async function claim(place: Place, sha256: BuildSha256): Promise<UpgradeTurn> {
    if (!(await claimTurn(db, place, now()))) {
      orders.clear();
      return "full";
    }
    const dueAt = now() + UPGRADE_LIMIT_MS;
    change(() => orders.write({ rolloutId: place.rolloutId, sha256, state: "ordered", dueAt }));
    scheduleBy(dueAt);
    return "ordered";
  }

  function settle(order: UpgradeOrderRecord, state: Ending["state"], detail: string | null): void {
    const machine = readMachine();
    if (machine === null) return;
    const { rolloutId } = order;
    const at = now();
    const ending = { rolloutId, machineId: machine.id, state, detail, at };
    const dueAt = at + PROOF_MS;
    change(() => {
      if (state === "done") orders.write({ ...order, state, dueAt });
      else orders.clear();
      outbox.enqueue([{ type: "upgrade_ended", ending }, toAuditEntry(machine, order, ending)], at);
    });
    if (state === "done") scheduleBy(dueAt);
    waitUntil(outbox.drain());
  }

  function toAuditEntry({ id, name }: MachineRecord, order: UpgradeOrderRecord, ending: Ending): Projection {
    const action: AuditAction = ending.state === "done" ? "machine.upgraded" : "machine.upgrade_failed";
    const { rolloutId, sha256: buildSha256 } = order;
    const details = { name, rolloutId, buildSha256, ...(ending.detail === null ? {} : { detail: ending.detail }) };
    const event = {
      ...{ id: ID_PREFIXES.auditEvent + renderUlid(ending.at, parts.randomBytes(16)), at: ending.at, action, details },
      ...{ actor: { kind: "machine" as const, id, name }, subjectId: id, meshId: null, requestId: rolloutId },
    };
    return { type: "audit_event", event };
  }

  /** What the machine is told changes. */
  function change(write: () => void): void {
    storage.transaction(() => {
      write();
      const machine = storage.readMachine();
      if (machine !== null) storage.writeMachine({ ...machine, revision: machine.revision + 1 });
    });
    ring();
  }

  /** The roll-out may have passed it over while it was away, or what was begun here was cut off. */
  const comeBack = () =>
    tryOrRetry(async () => {
      const machine = readMachine();
      if (machine === null || isUnderWay(orders.read()) || !isListening()) return;
      const turn = await findOwnTurn(db, machine.id);
      if (turn === null) return;
      const { rolloutId, machineId, sha256 } = turn;
      if (turn.isAway) {
        // Who is in line and asks for no turn may wait for good, so an object that dies from here on looks again.
        scheduleBy(now() + RESUME_AFTER_MS);
        await markBack(db, turn);
      }
      const verdict = look(sha256);
      if (verdict.code === "done" || verdict.code === "skipped") {
        // Nobody waits for what this answers, so the roll-out is told as with any other end.
        const ending = { rolloutId, machineId, state: verdict.code, detail: verdict.detail, at: now() };
        outbox.enqueue([{ type: "upgrade_ended", ending }], ending.at);
        waitUntil(outbox.drain());
        return;
      }
      // Without room it waits like the others, and nothing is written: who makes room has the next take its turn.
      if (await hasRoomNow(db, rolloutId)) await takeTurn({ rolloutId, machineId, sha256 });
    });

  async function tryOrRetry(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      scheduleBy(now() + RESUME_AFTER_MS);
      log.warn("an upgrade's turn is not settled", { retryInMs: RESUME_AFTER_MS, ...toErrorFields(error) });
    }
  }

  return {
    takeTurn: (request) =>
      inTurn("one", async () => {
        if (readMachine() !== null) return takeTurn(request);
        const { rolloutId, machineId } = request;
        await runBatch(db, endTurn(db, { rolloutId, machineId, state: "skipped", detail: MACHINE_REMOVED, at: now() }));
        return "settled";
      }),
    order() {
      const order = readOrder();
      return order?.state === "ordered" ? { orderId: order.rolloutId, sha256: order.sha256 } : null;
    },
    saidHello(agent, before) {
      const order = readOrder();
      const verdict = judgeHello(order, agent, now());
      if (order !== null && verdict === "done") settle(order, "done", null);
      else if (order !== null && verdict === "failed") settle(order, "failed", WENT_BACK);
      else if (verdict === "none" && mayWait(agent, before)) waitUntil(inTurn("one", comeBack));
    },
    failed(orderId, problem) {
      const order = readOrder();
      if (order?.state === "ordered" && order.rolloutId === orderId) settle(order, "failed", problem);
    },
    removed() {
      const order = readOrder();
      const machine = storage.readMachine();
      if (machine === null || !isUnderWay(order)) return;
      orders.clear();
      const { rolloutId } = order;
      const ending: Ending = { rolloutId, machineId: machine.id, state: "skipped", detail: MACHINE_REMOVED, at: now() };
      outbox.enqueue([{ type: "upgrade_ended", ending }], ending.at);
    },
    finish: () =>
      inTurn("one", () =>
        tryOrRetry(async () => {
          const machine = readMachine();
          const order = readOrder();
          if (machine === null) return;
          const due = order === null ? "over" : judgeDue(order, now());
          if (order !== null && due === "wait") scheduleBy(order.dueAt);
          else if (order !== null && due === "failed") settle(order, "failed", TOO_LATE);
          else if (order !== null && due === "claim") {
            await claim({ rolloutId: order.rolloutId, machineId: machine.id }, order.sha256);
          } else if (order !== null) orders.clear();
          if (!isUnderWay(order)) await comeBack();
        }),
      ),
  };
}

/** One that allows upgrades no more may wait in a roll-out from before, which is to hear of it. */
const mayWait = (agent: AgentInfo, before: AgentInfo | null): boolean =>
  agent.allowsUpgrades === true || before?.allowsUpgrades === true;

const isUnderWay = (
  order: UpgradeOrderRecord | null,
): order is UpgradeOrderRecord & { state: "claiming" | "ordered" } => order !== null && order.state !== "done";
