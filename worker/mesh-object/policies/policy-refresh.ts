// How a mesh keeps up with the policy sets that it and its members use. D1 has them; the mesh reads them there and never is told what they
// say, so no order of calls can leave an older one behind a newer.
//
// It looks when it is asked to, when D1 has heard of a new member, and by alarm, more and more seldom, for some minutes after a change was
// announced: whoever announced it may have died before or after D1 took it.
import type { MeshId } from "#schema/ids";
import type { MeshPolicies } from "../../db/policy-sets.ts";
import { type Logger, toErrorFields } from "../../log.ts";
import type { PolicyStorage } from "./policy-storage.ts";

export interface PolicyRefresh {
  /** A change is coming. Durable when this returns. */
  expect(): void;
  /** What was in D1 when this was called is taken over when it resolves; where D1 fails, it is by alarm. Never rejects. */
  refresh(): Promise<void>;
  /** By alarm. */
  look(): Promise<void>;
}

export interface PolicyRefreshParts {
  readonly policies: Pick<PolicyStorage, "readExpectedSince" | "writeExpectedSince">;
  /** Null where there is no mesh. */
  readonly readMeshId: () => MeshId | null;
  readonly readPolicies: (meshId: MeshId) => Promise<MeshPolicies>;
  readonly apply: (wanted: MeshPolicies) => void;
  /** Asks for `look` to be called by this time. */
  readonly scheduleBy: (atMs: number) => void;
  readonly now: () => number;
  readonly log: Logger;
}

const FIRST_LOOK_MS = 15_000;
/** The last look is at twice that, or before. */
const LOOKS_UNTIL_MS = 150_000;
const LONGEST_RETRY_MS = 5 * 60_000;

export function createPolicyRefresh(parts: PolicyRefreshParts): PolicyRefresh {
  const { policies, readMeshId, readPolicies, apply, scheduleBy, now, log } = parts;
  let running: Promise<void> | null = null;
  let following: Promise<void> | null = null;
  let failures = 0;

  async function run(): Promise<void> {
    const meshId = readMeshId();
    if (meshId === null) return;
    try {
      apply(await readPolicies(meshId));
      failures = 0;
    } catch (error) {
      const retryInMs = Math.min(FIRST_LOOK_MS * 2 ** failures, LONGEST_RETRY_MS);
      failures += 1;
      scheduleBy(now() + retryInMs);
      log.warn("a mesh's policies could not be read", { meshId, retryInMs, ...toErrorFields(error) });
    }
  }

  function start(): Promise<void> {
    running = run().finally(() => {
      running = null;
    });
    return running;
  }

  /** One at a time. Who comes while one runs needs another, which serves all that come until then. */
  function refresh(): Promise<void> {
    if (running === null) return start();
    following ??= running.then(() => {
      following = null;
      return start();
    });
    return following;
  }

  return {
    expect() {
      policies.writeExpectedSince(now());
      scheduleBy(now() + FIRST_LOOK_MS);
    },
    refresh,
    async look() {
      await refresh();
      const since = readMeshId() === null ? null : policies.readExpectedSince();
      const elapsedMs = since === null ? LOOKS_UNTIL_MS : now() - since;
      if (elapsedMs < LOOKS_UNTIL_MS) scheduleBy(now() + Math.max(FIRST_LOOK_MS, elapsedMs));
    },
  };
}
