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
/** What got no answer is left alone until all is well: asked as often as before, all would be in doubt before the control plane is back. */
const PAUSE_AFTER_FAILURE_MS = 2_000;
const BARE_MACHINES = 8;
const MAX_ROUTES = 6;
/** What ours begin with: the fleet has another, which stays. */
const ROUTE_NAME = "route-";
const AGENT = { agentVersion: "0.1.0", nodeVersion: "v24", kernelVersion: "6", wireguard: "kernel" } as const;

export interface ChangesMade {
  readonly acknowledged: number;
  /** Of these, members that came or went. */
  readonly acknowledgedOfMembers: number;
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
  /** Takes what is there now for right where no answer came, so that it is changed again. For when all is well. */
  settle(): Promise<void>;
}

export async function createChanges(on: FaultFleet, ledger: Ledger, random: Random): Promise<Changes> {
  const { api } = on.fleet;
  const machineIds = await enrolBareMachines(api);
  const members = new Set<string>();
  const routes = new Map<string, string>();
  let number = 0;
  let isMembersTurn = false;
  let acknowledgedOfMembers = 0;

  const memberKey = (machineId: string) => `member ${machineId}`;
  const routeKey = (name: string) => `route ${name}`;
  /** Never one that a route had before: it may still have it. */
  const toPrefix = () => `10.${201 + Math.floor(number / 256)}.${number++ % 256}.0/24`;

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
      acknowledgedOfMembers++;
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
      acknowledgedOfMembers++;
    },
    make: async () => {
      const [name, prefix] = [`${ROUTE_NAME}${number}`, toPrefix()];
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
      if (!isRefusal(error)) ledger.doubt(key, wanted);
      throw error;
    }
  }

  /** A member and a route in turn, as far as it is known what there is to change. */
  function choose(): () => Promise<void> {
    isMembersTurn = !isMembersTurn;
    const [away, there] = [machineIds.filter((id) => !members.has(id)), [...members]].map((ids) =>
      ids.filter((id) => ledger.isCertain(memberKey(id))),
    );
    const known = [...routes.keys()].filter((name) => ledger.isCertain(routeKey(name)));
    const ofMembers = [...toChoice(away, actions.join), ...toChoice(there, actions.leave)];
    const ofRoutes = [
      ...(routes.size < MAX_ROUTES ? [actions.make] : []),
      ...toChoice(known, actions.change),
      ...toChoice(known, actions.remove),
    ];
    const [first, second] = isMembersTurn ? [ofMembers, ofRoutes] : [ofRoutes, ofMembers];
    return pick(random, first.length > 0 ? first : second.length > 0 ? second : [actions.make]);
  }

  function toChoice(among: readonly string[] = [], act: (one: string) => Promise<void>): (() => Promise<void>)[] {
    return among.length === 0 ? [] : [() => act(pick(random, among))];
  }

  async function look() {
    const seen = new Map<string, string>();
    const found = await api.listMembers(on.mesh.id);
    for (const { machineId, address } of found) {
      ledger.giveAddress(address, machineId);
      seen.set(memberKey(machineId), address);
    }
    const foundRoutes = await listRoutes(api, on.mesh.id);
    for (const { name, prefixes } of foundRoutes) seen.set(routeKey(name), prefixes.join(" "));
    return { seen, foundRoutes };
  }

  return {
    async run(signal) {
      const before = { all: ledger.acknowledged(), ofMembers: acknowledgedOfMembers };
      const failed: string[] = [];
      const refused: string[] = [];
      while (!signal.aborted) {
        const failedBefore = failed.length;
        await choose()().catch((error: unknown) => (isRefusal(error) ? refused : failed).push(String(error)));
        const pauseMs = failed.length > failedBefore ? PAUSE_AFTER_FAILURE_MS : PAUSE_MS;
        await delay(pauseMs, null, { signal }).catch(() => {});
      }
      return {
        acknowledged: ledger.acknowledged() - before.all,
        acknowledgedOfMembers: acknowledgedOfMembers - before.ofMembers,
        ...{ failed, refused },
      };
    },
    read: async () => (await look()).seen,
    async settle() {
      const { seen, foundRoutes } = await look();
      ledger.settle(seen);
      for (const id of machineIds) members[seen.has(memberKey(id)) ? "add" : "delete"](id);
      routes.clear();
      for (const { name, id } of foundRoutes) if (name.startsWith(ROUTE_NAME)) routes.set(name, id);
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
