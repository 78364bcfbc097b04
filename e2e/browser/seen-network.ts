// A network with something of everything that the dashboard shows: three meshes, machines in all states, routes, VIPs, policies, tokens,
// users. Machines are told ones; the first in the list, `gateway`, is the one to look at.
import type { SeenControlPlane } from "./seen-control-plane.ts";
import { enrolMachine, type Telemetry, type Told, type ToldMachine } from "./told-machine.ts";
import { ago, createPaths, NAT, NATS, toEndpoints, toLinks } from "./told-paths.ts";

const NAMES = [
  ...["gateway", "alice", "bob", "build-server", "carrier-pi", "db-primary", "db-replica", "edge-fra-1", "edge-fra-2"],
  ...["edge-sin-1", "home-nas", "warehouse-lan", "web-1"],
];
const SILENT = ["laptop-ann", "old-printer"];
const IN_PRODUCTION = ["gateway", "db-primary", "db-replica", "edge-fra-1", "edge-fra-2"];

const TAGS: Readonly<Record<string, readonly string[]>> = {
  gateway: ["site:berlin"],
  "build-server": ["ci", "site:berlin"],
  "db-primary": ["database", "production", "site:berlin"],
  "db-replica": ["database", "production", "site:frankfurt"],
  "edge-fra-1": ["edge", "site:frankfurt"],
  "edge-fra-2": ["edge", "site:frankfurt"],
  "edge-sin-1": ["edge", "site:singapore"],
  "warehouse-lan": ["site:berlin"],
  "web-1": ["production", "site:berlin", "web"],
};

export interface SeenNetwork {
  readonly meshId: string;
  readonly machineId: string;
  readonly silentMachineId: string;
  readonly policySetId: string;
  stop(): void;
}

type Ids = Readonly<Record<string, string>>;

export async function seedNetwork(controlPlane: SeenControlPlane): Promise<SeenNetwork> {
  const { call } = controlPlane;
  const create = async (path: string, body: unknown) => String((await call("POST", path, body)).id);
  const meshId = await create("/meshes", {
    ...{ name: "office", cidr: "10.77.0.0/16", isDefault: true, fallback: "relay-then-transit" },
  });
  const productionId = await create("/meshes", { name: "production", cidr: "10.20.0.0/20" });
  await create("/meshes", { name: "lab", cidr: "192.168.40.0/24", fallback: "transit" });

  const machines = await inTurn(NAMES, (name) => enrolMachine(controlPlane, name));
  const silent = await inTurn(SILENT, (name) =>
    enrolMachine(controlPlane, name, name === "old-printer" ? [] : undefined),
  );
  const ids: Ids = Object.fromEntries([...machines, ...silent].map(({ name, id }) => [name, id]));
  const inProduction = machines.filter(({ name }) => IN_PRODUCTION.includes(name));
  await inTurn(inProduction, ({ id }) => call("POST", `/meshes/${productionId}/members`, { machineId: id }));
  await call("PATCH", `/machines/${ids.gateway}`, { gateway: true });
  for (const [name, tags] of Object.entries(TAGS)) await call("PATCH", `/machines/${ids[name]}`, { tags });

  const { announcements, checks } = await createAnnouncements(create, meshId, ids);
  const policySetId = await createPolicies(create, call, { meshId, ids });
  await createPeople(create, call);
  // One of before: while one is going on, no other can be begun.
  const rolloutId = await create("/rollouts", { machineIds: [ids["web-1"], ids["home-nas"]] });
  await call("POST", `/rollouts/${rolloutId}/cancel`);

  const toTold = (self: ToldMachine, inMesh: string, others: readonly ToldMachine[]): Told => {
    const toPeers = createPaths({
      meshId: inMesh,
      self,
      others,
      silentIds: silent.map(({ id }) => id),
      gatewayId: ids.gateway ?? "",
    });
    const toTelemetry = (): Telemetry => ({
      ...{ peers: toPeers(), endpoints: toEndpoints(inMesh, ids.alice ?? ""), nat: NAT, announcements },
    });
    const nat = NATS[others.indexOf(self) % NATS.length] ?? NATS[0];
    return {
      toTelemetry,
      ...(nat ? { nat } : {}),
      ...(inMesh === meshId ? { checks: checks[self.name] ?? [] } : {}),
      ...(self.name === "gateway" && inMesh === meshId ? toGatewayTold(ids, machines) : {}),
    };
  };
  const failing: Told = { failures: [FAILURE] };
  for (const machine of machines) {
    await machine.connect(
      meshId,
      machine.name === "carrier-pi" ? failing : toTold(machine, meshId, [...machines, ...silent]),
    );
  }
  for (const machine of inProduction) await machine.connect(productionId, toTold(machine, productionId, inProduction));
  return {
    ...{ meshId, policySetId, machineId: ids.gateway ?? "", silentMachineId: ids["laptop-ann"] ?? "" },
    stop() {
      for (const machine of machines) machine.stop();
    },
  };
}

type Create = (path: string, body: unknown) => Promise<string>;

interface Announcements {
  /** Of the gateway. */
  readonly announcements: Telemetry["announcements"];
  /** By name of machine. */
  readonly checks: Readonly<Record<string, NonNullable<Told["checks"]>>>;
}

async function createAnnouncements(create: Create, meshId: string, ids: Ids): Promise<Announcements> {
  const lan = await create(`/meshes/${meshId}/routes`, {
    ...{
      name: "warehouse-lan",
      prefixes: ["192.168.7.0/24", "fd00:7::/64"],
      machineIds: [ids["warehouse-lan"], ids.gateway],
    },
    healthCheck: { type: "tcp", target: "192.168.7.1:22" },
  });
  await create(`/meshes/${meshId}/routes`, {
    ...{ name: "old-site", prefixes: ["172.20.0.0/16"], machineIds: [], enabled: false, isMasquerading: true },
  });
  const database = await create(`/meshes/${meshId}/vips`, {
    ...{ name: "database", address: "10.77.0.200", machineIds: [ids["db-primary"], ids["db-replica"], ids.gateway] },
    healthCheck: { type: "http", target: ":8008/primary" },
  });
  const runs = (text: string, isSuccess: boolean) =>
    [2, 7, 12, 17, 22].map((seconds) => ({ at: ago(seconds), durationMs: 4 + (seconds % 5), isSuccess, text }));
  const passes = (id: string, seconds: number) => ({
    ...{ id, status: "healthy" as const, since: ago(seconds), text: null },
  });
  const checks = {
    gateway: [
      passes(lan, 5_400),
      { id: database, status: "unhealthy" as const, since: ago(300), text: "10.77.0.1:8008 answered 503" },
    ],
    "warehouse-lan": [passes(lan, 7_200)],
    "db-primary": [passes(database, 86_400)],
  };
  const announcements: Telemetry["announcements"] = [
    {
      ...{ id: lan, isAnnounced: true, status: "healthy", since: ago(5_400), reason: null },
      results: runs("connected", true),
    },
    {
      ...{ id: database, isAnnounced: false, status: "unhealthy", since: ago(300) },
      reason: "failed 3 times in a row: HTTP 503",
      results: runs("HTTP 503", false),
    },
  ];
  return { announcements, checks };
}

async function createPolicies(
  create: Create,
  call: SeenControlPlane["call"],
  { meshId, ids }: { readonly meshId: string; readonly ids: Ids },
): Promise<string> {
  const rules = [
    {
      ...{ description: "main site", action: "accept", setLocalPreference: 200 },
      match: { prefixes: ["192.168.0.0/16"], maxLength: 24 },
    },
    { description: "guests", enabled: false, match: { prefixes: ["10.9.0.0/16"] }, action: "reject" },
    {
      match: { communities: ["65000:100", "4200000001:1:100"], asPath: "* 4200000001" },
      ...{ action: "accept", addCommunities: ["65000:200"], prependCount: 2 },
    },
  ];
  const policySetId = await create("/policy-sets", { name: "prefer-main-site", defaultAction: "reject", rules });
  await create("/policy-sets", { name: "backup-machine", description: "used last", defaultLocalPreference: 50 });
  await call("PATCH", `/meshes/${meshId}`, { exportPolicySetId: policySetId });
  await call("PATCH", `/machines/${ids.gateway}`, { importPolicySetId: policySetId });
  return policySetId;
}

async function createPeople(create: Create, call: SeenControlPlane["call"]): Promise<void> {
  await create("/join-tokens", { expiresInSeconds: 600, maxUses: 5 });
  const revoked = await create("/join-tokens", { expiresInSeconds: 600, meshIds: [] });
  await call("DELETE", `/join-tokens/${revoked}`);
  await create("/api-tokens", { name: "backup script", role: "viewer", expiresInSeconds: 2_592_000 });
  await create("/api-tokens", { name: "terraform", role: "admin" });
  for (const [name, role] of [
    ["Ann Example", "admin"],
    ["Bob Builder", "viewer"],
    ["Carol", "viewer"],
  ]) {
    await call("POST", "/login-links", { name, role });
  }
}

const FAILURE = {
  ...{ step: "address.add", code: "command_failed", since: ago(600) },
  message: "ip address add: RTNETLINK answers: Operation not permitted",
};

function toGatewayTold(ids: Ids, machines: readonly ToldMachine[]): Pick<Told, "links" | "routes"> {
  const route = {
    ...{
      localPreference: 100,
      med: 0,
      communities: [],
      asPath: [],
      filterReason: null,
      isBest: true,
      since: ago(5_400),
    },
  };
  const from = (name: string, nextHop: string) => ({
    ...{ nextHop, origin: { machineId: ids[name] ?? "", name } },
    source: { kind: "peer" as const, protocol: `peer_${name}`, machineId: ids[name] ?? "", name, meshId: null },
  });
  return {
    links: toLinks(machines.filter(({ name }) => name !== "gateway")),
    routes: [
      {
        ...{
          ...route,
          prefix: "192.168.7.0/24",
          nextHop: null,
          origin: { machineId: ids.gateway ?? "", name: "gateway" },
        },
        source: { kind: "own", protocol: "announce_ipv4", machineId: null, name: null, meshId: null },
      },
      {
        ...route,
        ...from("warehouse-lan", "10.77.0.12"),
        prefix: "192.168.7.0/24",
        localPreference: 50,
        isBest: false,
      },
      {
        ...route,
        ...from("db-primary", "10.77.0.6"),
        prefix: "10.77.0.200/32",
        localPreference: 200,
        communities: ["65000:100"],
      },
      {
        ...{ ...route, ...from("bob", "10.77.0.3"), prefix: "10.0.0.0/8", isBest: false },
        filterReason: { code: "not_authorised", message: "no route or VIP of this mesh lets bob announce 10.0.0.0/8" },
      },
    ],
  };
}

async function inTurn<Item, Result>(items: readonly Item[], make: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await make(item));
  return results;
}
