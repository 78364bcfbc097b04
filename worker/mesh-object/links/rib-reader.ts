// A member's routes, asked for when somebody wants to see them. In memory only; several that want the same at once share one answer.
import { MAX_RIB_ROUTES } from "#schema/bgp";
import type { MachineId } from "#schema/ids";
import type { Prefix } from "#schema/prefix";
import { err, ok, type Result } from "#schema/result";
import type { RibReport, RibRequest } from "#schema/wire/messages";
import type { MemberRib } from "../rpc.ts";

export interface RibReader {
  /** `offline`: it is not connected; `silent`: it did not answer in time. */
  read(
    machineId: MachineId,
    options: { readonly prefix: Prefix | null; readonly waitMs: number },
  ): Promise<Result<MemberRib, "offline" | "silent">>;
  /** A member's report; what it was not asked for is dropped. */
  heard(machineId: MachineId, report: RibReport): void;
  forget(machineId: MachineId): void;
}

interface Asked {
  readonly requestId: string;
  readonly answer: Promise<Result<MemberRib, "offline" | "silent">>;
  readonly parts: RibReport[];
  readonly finish: (answer: Result<MemberRib, "offline" | "silent">) => void;
}

export function createRibReader({
  randomId,
  tell,
}: {
  randomId: () => string;
  /** False: it is not connected. */
  tell: (machineId: MachineId, message: RibRequest) => boolean;
}): RibReader {
  const asked = new Map<MachineId, Map<string, Asked>>();

  function ask(machineId: MachineId, prefix: Prefix | null, waitMs: number): Asked | null {
    const requestId = randomId();
    if (!tell(machineId, { type: "rib.request", requestId, prefix })) return null;
    const { promise: answer, resolve } = Promise.withResolvers<Result<MemberRib, "offline" | "silent">>();
    const ofMachine = asked.get(machineId) ?? new Map<string, Asked>();
    asked.set(machineId, ofMachine);
    const key = toKey(prefix);
    const timer = setTimeout(() => entry.finish(err("silent")), waitMs);
    const entry: Asked = {
      ...{ requestId, answer, parts: [] },
      finish(result) {
        clearTimeout(timer);
        if (ofMachine.get(key) === entry) ofMachine.delete(key);
        if (ofMachine.size === 0 && asked.get(machineId) === ofMachine) asked.delete(machineId);
        resolve(result);
      },
    };
    ofMachine.set(key, entry);
    return entry;
  }

  return {
    async read(machineId, { prefix, waitMs }) {
      const entry = asked.get(machineId)?.get(toKey(prefix)) ?? ask(machineId, prefix, waitMs);
      return entry === null ? err("offline") : entry.answer;
    },
    heard(machineId, part) {
      const entries = [...(asked.get(machineId)?.values() ?? [])];
      const entry = entries.find(({ requestId }) => requestId === part.requestId);
      if (entry === undefined) return;
      entry.parts.push(part);
      const count = entry.parts.reduce((sum, { routes }) => sum + routes.length, 0);
      if (part.hasMore && count < MAX_RIB_ROUTES && part.routes.length > 0) return;
      entry.finish(ok(joinParts(entry.parts)));
    },
    forget(machineId) {
      for (const entry of asked.get(machineId)?.values() ?? []) entry.finish(err("offline"));
    },
  };
}

const toKey = (prefix: Prefix | null): string => prefix ?? "all";

function joinParts(parts: readonly RibReport[]): MemberRib {
  const routes = parts.flatMap((part) => part.routes);
  return {
    routes: routes.slice(0, MAX_RIB_ROUTES),
    isTruncated: routes.length > MAX_RIB_ROUTES || parts.some(({ isTruncated }) => isTruncated),
    problem: parts.find(({ problem }) => problem !== null)?.problem ?? null,
  };
}
