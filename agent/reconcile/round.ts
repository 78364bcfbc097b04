// One round of the reconciler: look, plan, remove what is not ours to keep, then bring all meshes up to date side by side.
import type { MeshId } from "#schema/ids";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import type { DesiredDevice } from "./desired-device.ts";
import { type Execution, executeSteps, type Tools } from "./execute.ts";
import { type Failure, keepSince, toFailure } from "./failures.ts";
import { readObservedState } from "./observe.ts";
import { readLan } from "./observe-lan.ts";
import type { ObservedState } from "./observed-state.ts";
import { type Memory, rememberPeers, rememberStep } from "./peer-memory.ts";
import { type Desired, type MeshPlan, nextWakeAtMs, planDevices } from "./plan.ts";
import { type LanPlan, planLan, shareNetworks } from "./plan-lan.ts";
import type { MeshState, ReconcilerState } from "./reconciler-state.ts";
import { createRouteReader } from "./route-reader.ts";
import type { StepName } from "./steps.ts";

export interface RoundResult {
  readonly state: ReconcilerState;
  /** False: stopped between two steps, because something newer is desired. */
  readonly isComplete: boolean;
  /** When the next round is due even if nothing happens; null: no need. */
  readonly wakeAtMs: number | null;
}

export interface Round {
  run(desired: Desired, before: ReconcilerState, options: RoundOptions): Promise<RoundResult>;
}

export interface RoundOptions {
  readonly signal: AbortSignal;
  /** What the system is like, as somebody has just seen it; null: it is looked at. */
  readonly seen: Promise<ObservedState> | null;
}

interface Execute {
  readonly plan: MeshPlan;
  /** Undefined: the interface goes. */
  readonly device: DesiredDevice | undefined;
  readonly before: MeshState | undefined;
  readonly signal: AbortSignal;
}

export function createRound({ tools, clock, log }: { tools: Tools; clock: Clock; log: Logger }): Round {
  const routeReader = createRouteReader({ ...tools, clock });
  let memory: Memory = new Map();
  let isComplete = true;

  async function executePlan({ plan, device, before, signal }: Execute): Promise<MeshState> {
    const execution = await executeSteps(plan.steps, tools, signal);
    isComplete &&= execution.isComplete;
    for (const step of execution.done) memory = rememberStep(memory, step, clock.now());
    const arePeersApplied = device !== undefined && hasPeers(plan, execution);
    if (arePeersApplied) memory = rememberPeers(memory, device);
    logExecution(log, execution);
    const found: Failure[] = [
      ...plan.problems,
      ...execution.failed.map(({ step, error }) => toFailure(step.name, error)),
      // Steps that were not reached can't have mended what failed before.
      ...(execution.isComplete ? [] : (before?.failures ?? [])),
    ];
    const failures = keepSince(found, before?.failures ?? [], clock.wall());
    logProblems(log, plan, failures, before);
    const isApplied = failures.length === 0 && execution.isComplete;
    const isLinked = execution.done.some(({ name }) => name === "interface.create" || name === "link.configure");
    return {
      ...{ failures, arePeersApplied },
      linkedAtMs: isLinked ? clock.now() : (before?.linkedAtMs ?? null),
      appliedAtMs: isApplied ? clock.now() : (before?.appliedAtMs ?? null),
    };
  }

  return {
    async run(asked, before, { signal, seen }) {
      isComplete = true;
      const desired = { ...asked, devices: shareNetworks(asked.devices) };
      try {
        const observing = seen ?? readObservedState(tools);
        const [observed, routes] = await Promise.all([observing, routeReader.read(desired.devices, observing)]);
        const lan = await readLan(tools, observed, routes, desired.devices);
        const planned = planDevices({ desired, observed, routes: routes.ipv4, memory, nowMs: clock.now() });
        const { removals, meshes } = lan === null ? planned : addLan(planned, planLan(desired.devices, lan), desired);
        const execute = async (plan: MeshPlan): Promise<[MeshId | null, MeshState]> => {
          const known = plan.meshId === null ? undefined : before.meshes.get(plan.meshId);
          const device = desired.devices.find(({ meshId }) => meshId === plan.meshId);
          return [plan.meshId, await executePlan({ plan, device, before: known, signal })];
        };
        const removed = await Promise.all(removals.map(execute));
        const applied = await Promise.all(meshes.map(execute));
        const notRemoved = removed.filter(([, { failures }]) => failures.length > 0);
        const wakeAtMs = nextWakeAtMs({ desired, observed, memory, nowMs: clock.now() });
        return { state: { meshes: new Map([...notRemoved, ...applied].filter(isOfMesh)) }, isComplete, wakeAtMs };
      } catch (error) {
        log.error("the system could not be read", { error });
        return {
          state: failAll(desired, before, toFailure("system.observe", error), clock.wall()),
          isComplete,
          wakeAtMs: null,
        };
      }
    },
  };
}

type Plans = ReturnType<typeof planDevices>;

/** Done once, and told where it matters: in the first mesh that has networks behind this machine. */
function addLan({ removals, meshes }: Plans, { step, problems }: LanPlan, { devices }: Desired): Plans {
  const meshId = devices.find(({ networks }) => networks.length > 0)?.meshId ?? null;
  const steps = step === null ? [] : [{ name: "lan.forward", interfaceName: "lan", meshId, ...step } as const];
  if (meshId === null) return { removals: [...removals, { meshId, steps, problems: [...problems] }], meshes };
  const add = (plan: MeshPlan): MeshPlan =>
    plan.meshId === meshId
      ? { meshId, steps: [...plan.steps, ...steps], problems: [...plan.problems, ...problems] }
      : plan;
  return { removals, meshes: meshes.map(add) };
}

/** Without an interface of ours that answers, nothing is done about peers. */
function hasPeers({ problems }: MeshPlan, { isComplete, failed }: Execution): boolean {
  const isThere = !problems.some(({ code }) => code === "interface_name_taken" || code === "device_unreadable");
  return isComplete && isThere && !failed.some(({ step }) => NEEDED_BY_PEERS.includes(step.name));
}

const NEEDED_BY_PEERS: readonly StepName[] = ["interface.remove", "interface.create", "peers.change"];

/** What is of no mesh is only logged, and tried again with the next look. */
function isOfMesh(entry: readonly [MeshId | null, MeshState]): entry is [MeshId, MeshState] {
  return entry[0] !== null;
}

function failAll({ devices }: Desired, before: ReconcilerState, failure: Failure, wallMs: number): ReconcilerState {
  const fail = (meshId: MeshId): MeshState => {
    const known = before.meshes.get(meshId);
    const failures = keepSince([failure], known?.failures ?? [], wallMs);
    const { linkedAtMs = null, appliedAtMs = null } = known ?? {};
    return { failures, arePeersApplied: false, linkedAtMs, appliedAtMs };
  };
  return { meshes: new Map(devices.map(({ meshId }) => [meshId, fail(meshId)])) };
}

function logExecution(log: Logger, { done, failed }: Execution): void {
  for (const { name, interfaceName, reason } of done)
    log.info("step done", { step: name, interface: interfaceName, reason });
  for (const { step, error } of failed) {
    log.warn("step failed", { step: step.name, interface: step.interfaceName, reason: step.reason, error });
  }
}

/** Said once when it begins, not in every round. */
function logProblems(
  log: Logger,
  plan: MeshPlan,
  failures: MeshState["failures"],
  before: MeshState | undefined,
): void {
  for (const { step, code, message } of plan.problems) {
    const isNew = !before?.failures.some((failure) => failure.step === step && failure.code === code);
    if (isNew && failures.length > 0) log.warn("cannot be done", { mesh: plan.meshId, step, code, problem: message });
  }
}
