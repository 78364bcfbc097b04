// Somebody who changes a mesh through the API all the time, and remembers what was acknowledged: members that come and go, routes that are made,
// changed and deleted.
import { setTimeout as delay } from "node:timers/promises";
import type { Member } from "#schema/machine";
import { Route } from "#schema/route";
import type { Api } from "../../fleet/api.ts";
import { createBareMachine } from "../../fleet/bare-machine.ts";
import { createRoute } from "../../fleet/routing.ts";
import { ANNOUNCER, type FaultFleet } from "../kinds/fault.ts";
import { pick, type Random } from "../random.ts";
import { ANY, type Ledger } from "./ledger.ts";

const PAUSE_MS = 500;
const BARE_MACHINES = 8;
const MAX_ROUTES = 6;
const AGENT = { agentVersion: "0.1.0", nodeVersion: "v24", kernelVersion: "6", wireguard: "kernel" } as const;

export interface ChangesMade {
  readonly acknowledged: number;
  /** No answer, or a failure of the control plane, in words. */
  readonly failed: readonly string[];
  /** Nothing that is asked here is wrong. */
  readonly refused: readonly string[];
}

export interface Changes {
  /** Changes by and by until the signal. */
  run(signal: AbortSignal): Promise<ChangesMade>;
  /** What is there now, as the ledger names it. */
  read(): Promise<Map<string, string>>;
}

export async function createChanges(on: FaultFleet, ledger: Ledger, random: Random): Promise<Changes> {
  const { api } = on.fleet;
  const machineIds = await enrolBareMachines(api);
  const members = new Set<string>();
  const routes = new Map<string, string>();
  let number = 0;

  const memberKey = (machineId: string) => `member ${machineId}`;
  const routeKey = (name: string) => `route ${name}`;
  const toPrefix = () => `10.201.${number++ % 256}.0/24`;

  const actions = {
    join: async (machineId: string) => {
      const { address } = await remember(
        memberKey(machineId),
        ANY,
        () => api.addMember(on.mesh.id, machineId),
        (made) => made.address,
      );
      ledger.giveAddress(address, machineId);
      members.add(machineId);
    },
    leave: async (machineId: string) => {
      members.delete(machineId);
      const path = `/meshes/${on.mesh.id}/members/${machineId}`;
      await remember(
        memberKey(machineId),
        null,
        () => api.call("DELETE", path),
        () => null,
      );
    },
    make: async () => {
      const [name, prefix] = [`route-${number}`, toPrefix()];
      const machineIds = [on.addresses.get(ANNOUNCER)?.machineId ?? ""];
      const body = { name, prefixes: [prefix], machineIds };
      const made = await remember(
        routeKey(name),
        prefix,
        () => createRoute(on.fleet, on.mesh.id, body),
        () => prefix,
      );
      routes.set(name, made.id);
    },
    change: async (name: string) => {
      const prefix = toPrefix();
      const path = `/meshes/${on.mesh.id}/routes/${routes.get(name)}`;
      await remember(
        routeKey(name),
        prefix,
        () => api.call("PATCH", path, { prefixes: [prefix] }),
        () => prefix,
      );
    },
    remove: async (name: string) => {
      const path = `/meshes/${on.mesh.id}/routes/${routes.get(name)}`;
      routes.delete(name);
      await remember(
        routeKey(name),
        null,
        () => api.call("DELETE", path),
        () => null,
      );
    },
  };

  async function remember<T>(
    key: string,
    wanted: string | null,
    ask: () => Promise<T>,
    toValue: (made: T) => string | null,
  ) {
    try {
      const made = await ask();
      ledger.acknowledge(key, toValue(made));
      return made;
    } catch (error) {
      ledger.doubt(key, wanted);
      throw error;
    }
  }

  function choose(): () => Promise<void> {
    const away = machineIds.filter((id) => !members.has(id) && ledger.isCertain(memberKey(id)));
    const there = [...members].filter((id) => ledger.isCertain(memberKey(id)));
    const known = [...routes.keys()].filter((name) => ledger.isCertain(routeKey(name)));
    const possible = [
      ...(away.length > 0 ? [() => actions.join(pick(random, away))] : []),
      ...(there.length > 0 ? [() => actions.leave(pick(random, there))] : []),
      ...(routes.size < MAX_ROUTES ? [actions.make] : []),
      ...(known.length > 0
        ? [() => actions.change(pick(random, known)), () => actions.remove(pick(random, known))]
        : []),
    ];
    return pick(random, possible.length > 0 ? possible : [actions.make]);
  }

  return {
    async run(signal) {
      const before = ledger.acknowledged();
      const failed: string[] = [];
      const refused: string[] = [];
      while (!signal.aborted) {
        await choose()().catch((error: unknown) => (isRefusal(error) ? refused : failed).push(String(error)));
        await delay(PAUSE_MS, null, { signal }).catch(() => {});
      }
      return { acknowledged: ledger.acknowledged() - before, failed, refused };
    },
    async read() {
      const seen = new Map<string, string>();
      for (const { machineId, address } of await api.listMembers(on.mesh.id)) {
        ledger.giveAddress(address, machineId);
        seen.set(memberKey(machineId), address);
      }
      for (const { name, prefixes } of await listRoutes(api, on.mesh.id)) seen.set(routeKey(name), prefixes.join(" "));
      return seen;
    },
  };
}

async function enrolBareMachines(api: Api): Promise<Member["machineId"][]> {
  // A mesh of its own, so that none is in the default mesh.
  const aside = await api.createMesh({ name: "aside", cidr: "10.79.0.0/24" });
  const { token } = await api.createJoinToken({ meshIds: [aside.id] });
  const ids: string[] = [];
  for (let count = 0; count < BARE_MACHINES; count++) {
    const machine = createBareMachine(api.url);
    await machine.enrol(token, `bare-${count}`, AGENT);
    ids.push(machine.id);
  }
  return ids as Member["machineId"][];
}

async function listRoutes(api: Api, meshId: string): Promise<Route[]> {
  const answer = (await api.call("GET", `/meshes/${meshId}/routes?limit=500`)) as { items: unknown[] };
  return answer.items.map((item) => Route.parse(item));
}

/** By a caller's fault, it says. Too many requests are not: the client waits too little. */
function isRefusal(error: unknown): boolean {
  return / answered 4(?!29)/.test(String(error));
}
