// One machine: the single writer of which meshes it is in, and its doorbell. This class calls, stores and sends; what happens is decided
// in the files beside it.
import { DurableObject } from "cloudflare:workers";
import type { IdentityPublicKey, MeshId, RolloutId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { createDatabase as createD1 } from "../db/database.ts";
import { createAgentHandler } from "../durable/agent-endpoint.ts";
import { type Alarms, createAlarms } from "../durable/alarms.ts";
import { guardFrame } from "../durable/guard-frame.ts";
import { createDatabase } from "../durable/sqlite.ts";
import type { Env } from "../env.ts";
import { readGeneration } from "../generation.ts";
import { createLogger, type Logger, parseLogLevel } from "../log.ts";
import type { AddedMember } from "../mesh-object/rpc.ts";
import { createObjects } from "../objects.ts";
import type { Cause } from "../outbox/cause.ts";
import { Projection } from "../outbox/entries.ts";
import { createOutbox, type Outbox } from "../outbox/outbox.ts";
import { MAX_PROJECTIONS } from "../outbox/project.ts";
import { createDelivery } from "./delivery.ts";
import { createDoorbell, type Doorbell } from "./doorbell.ts";
import { createMemberships, type Memberships } from "./memberships.ts";
import { replaceKeys } from "./replace-keys.ts";
import type {
  IdentityKeyChange,
  JoinMeshError,
  JoinMeshRequest,
  KeyOrder,
  MachineChange,
  MachineObjectRpc,
  MachineRegistration,
} from "./rpc.ts";
import { createMachineStorage, type MachineStorage } from "./storage.ts";
import { readStunServers } from "./stun-servers.ts";
import { createUpgradeStorage } from "./upgrades/upgrade-storage.ts";
import { createUpgrades, type TurnRequest, type Upgrades, type UpgradeTurn } from "./upgrades/upgrades.ts";

type AlarmName = "outbox" | "memberships" | "upgrades";
const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
const UNSEEN = { lastSeenAt: null, isGateway: false, keyOrder: null, identityKeySince: 0 };

export class MachineObject extends DurableObject<Env> implements MachineObjectRpc {
  readonly #log: Logger;
  readonly #storage: MachineStorage;
  readonly #outbox: Outbox<Projection>;
  readonly #upgrades: Upgrades;
  readonly #doorbell: Doorbell;
  readonly #memberships: Memberships;
  readonly #alarms: Alarms<AlarmName>;
  readonly #serveMachine: (request: Request) => Promise<Response>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const now = Date.now;
    const log = createLogger(parseLogLevel(env.BECKET_LOG_LEVEL));
    const db = createDatabase(ctx.storage);
    const storage = createMachineStorage(db);
    const alarms = createAlarms<AlarmName>(db, ctx.storage);
    const outbox = createOutbox({
      ...{
        db,
        now,
        log,
        table: "outbox",
        schema: Projection,
        maxEntries: MAX_PROJECTIONS,
        deliver: createDelivery(env, { now, log }),
      },
      scheduleBy: (atMs) => alarms.scheduleBy("outbox", atMs),
    });
    const upgrades = createUpgrades({
      ...{ storage, orders: createUpgradeStorage(db), db: createD1(env.DB), outbox, now, log },
      isListening: () => this.#doorbell.isListening(),
      ring: () => this.#doorbell.ring(),
      scheduleBy: (atMs) => alarms.scheduleBy("upgrades", atMs),
      waitUntil: (task) => ctx.waitUntil(task),
      randomBytes,
    });
    const doorbell = createDoorbell(ctx, {
      ...{ storage, outbox, upgrades },
      stunServers: readStunServers(env, log),
      generation: readGeneration(env, log),
      now,
      log,
    });
    this.#log = log;
    this.#storage = storage;
    this.#outbox = outbox;
    this.#upgrades = upgrades;
    this.#doorbell = doorbell;
    this.#memberships = createMemberships({
      ...{ storage, now, log, ring: doorbell.ring, meshOf: createObjects(env).mesh },
      scheduleBy: (atMs) => alarms.scheduleBy("memberships", atMs),
    });
    this.#alarms = alarms;
    this.#serveMachine = createAgentHandler(doorbell, now);
    if (storage.readMachine() !== null) void ctx.blockConcurrencyWhile(() => alarms.restore());
  }

  async register(registration: MachineRegistration): Promise<Result<null, { code: "machine_removed" }>> {
    const machine = this.#storage.readMachine();
    const { machineId: id, name, identityKey, agent } = registration;
    if (machine === null) {
      const fresh = {
        id,
        name,
        identityKey,
        agent,
        revision: 1,
        removedAt: null,
        ...UNSEEN,
        identityKeySince: Date.now(),
      };
      this.#storage.transaction(() => this.#storage.insertMachine(fresh));
      return ok(null);
    }
    if (machine.removedAt !== null) return err({ code: "machine_removed" });
    if (machine.identityKey !== identityKey) throw new Error("this object holds another machine already");
    if (JSON.stringify(machine.agent) !== JSON.stringify(agent)) this.#storage.writeMachine({ ...machine, agent });
    return ok(null);
  }

  async readIdentityKey(): Promise<IdentityPublicKey | null> {
    const machine = this.#storage.readMachine();
    return machine?.removedAt === null ? machine.identityKey : null;
  }

  async setIdentityKey({
    identityKey,
    sinceMs,
  }: IdentityKeyChange): Promise<Result<null, { code: "machine_not_found" | "machine_removed" }>> {
    const machine = this.#storage.readMachine();
    if (machine === null) return err({ code: "machine_not_found" });
    if (machine.removedAt !== null) return err({ code: "machine_removed" });
    if (sinceMs <= machine.identityKeySince) return ok(null);
    const revision = machine.revision + 1;
    this.#storage.writeMachine({ ...machine, identityKey, identityKeySince: sinceMs, revision });
    this.#doorbell.ring();
    return ok(null);
  }

  joinMesh(request: JoinMeshRequest): Promise<Result<AddedMember, JoinMeshError>> {
    return this.#memberships.joinMesh(request);
  }

  leaveMesh(meshId: MeshId, cause: Cause): Promise<Result<boolean, { code: "machine_not_found" }>> {
    return this.#memberships.leaveMesh(meshId, cause);
  }

  forgetMesh(meshId: MeshId): Promise<void> {
    return this.#memberships.forgetMesh(meshId);
  }

  async update(change: MachineChange): Promise<void> {
    const machine = this.#storage.readMachine();
    if (machine === null) return;
    const { name = machine.name, isGateway = machine.isGateway } = change;
    const isRenamed = machine.name !== name;
    if (isRenamed || machine.isGateway !== isGateway) {
      // The machine itself is told its name only.
      const revision = isRenamed ? machine.revision + 1 : machine.revision;
      this.#storage.transaction(() => {
        this.#storage.writeMachine({ ...machine, name, isGateway, revision });
        this.#memberships.machineChanged();
      });
      if (isRenamed) this.#doorbell.ring();
    }
    await this.#memberships.finish();
  }

  async remove({ machineId: id, name, identityKey }: Omit<MachineRegistration, "agent">, cause: Cause): Promise<void> {
    const machine = this.#storage.readMachine();
    if (machine === null) {
      const removed = { id, name, identityKey, agent: null, revision: 1, removedAt: Date.now(), ...UNSEEN };
      this.#storage.transaction(() => this.#storage.insertMachine(removed));
      return;
    }
    if (machine.removedAt === null) {
      this.#storage.transaction(() => {
        this.#storage.writeMachine({ ...machine, removedAt: Date.now(), revision: machine.revision + 1 });
        this.#memberships.leaveAll(cause);
        this.#upgrades.removed();
      });
      this.#doorbell.dismiss(machine.id);
    }
    await this.#memberships.finish();
    this.ctx.waitUntil(this.#outbox.drain());
  }

  async replaceKeys(order: KeyOrder, cause: Cause): Promise<Result<KeyOrder, { code: "machine_not_found" }>> {
    const parts = { storage: this.#storage, outbox: this.#outbox, randomBytes };
    const replaced = this.#storage.transaction(() => replaceKeys(parts, { order, cause }, Date.now()));
    if (!replaced.ok) return replaced;
    if (replaced.value.isChanged) {
      this.#doorbell.ring();
      this.ctx.waitUntil(this.#outbox.drain());
    }
    return ok(replaced.value.keyOrder);
  }

  takeUpgradeTurn(request: TurnRequest): Promise<UpgradeTurn> {
    return this.#upgrades.takeTurn(request);
  }

  async continueRollout(rolloutId: RolloutId): Promise<void> {
    const now = Date.now();
    this.#storage.transaction(() => {
      // By an alarm of its own: of calls that come from each other the platform allows sixteen ("Subrequest depth limit exceeded", 2026-11).
      this.#alarms.scheduleBy("outbox", now);
      this.#outbox.enqueue([{ type: "rollout_unfinished", rolloutId }], now);
    });
  }

  async readLastSeen(): Promise<number | null> {
    return this.#doorbell.readLastSeen();
  }

  override fetch(request: Request): Promise<Response> {
    return this.#serveMachine(request);
  }

  override webSocketMessage(webSocket: WebSocket, frame: string | ArrayBuffer): void {
    guardFrame(webSocket, { log: this.#log, failure: "a machine's message failed" }, () =>
      this.#doorbell.receiveFrame(webSocket, frame),
    );
  }

  override webSocketClose(webSocket: WebSocket): void {
    this.#doorbell.closed(webSocket);
  }

  override webSocketError(webSocket: WebSocket): void {
    this.#doorbell.closed(webSocket);
  }

  override async alarm(): Promise<void> {
    if (this.#storage.readMachine() === null) return;
    const due = this.#alarms.takeDue(Date.now());
    await Promise.all([
      this.#outbox.drain({ isRetry: true }),
      this.#memberships.finish(),
      ...(due.includes("upgrades") ? [this.#upgrades.finish()] : []),
    ]);
  }
}
