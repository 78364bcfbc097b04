// Which meshes a machine is in. Joining and leaving are each two steps, here and in the Mesh object; the intention is stored first, so that
// an interrupted one is finished by alarm.
//
//   (nothing) ──join──► joining ──mesh says yes──► joined ──leave──► leaving ──mesh says gone──► (nothing)
//                          └──mesh says no──► (nothing)
//
// Per mesh one thing happens at a time; removing the machine marks everything at once and then waits its turn.
import { isOverlapping } from "#schema/address";
import type { MeshId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { releaseReply } from "../durable/release-reply.ts";
import { type Logger, toErrorFields } from "../log.ts";
import type { AddedMember, MeshObjectRpc } from "../mesh-object/rpc.ts";
import type { Cause } from "../outbox/cause.ts";
import type { JoinMeshError, JoinMeshRequest } from "./rpc.ts";
import type { MachineRecord, MachineStorage, MeshEntry } from "./storage.ts";
import { createTurns } from "./turns.ts";

export interface Memberships {
  joinMesh(request: JoinMeshRequest): Promise<Result<AddedMember, JoinMeshError>>;
  leaveMesh(meshId: MeshId, cause: Cause): Promise<Result<boolean, { code: "machine_not_found" }>>;
  forgetMesh(meshId: MeshId): Promise<void>;
  /** Call it in the transaction that marks the machine as removed; then `finish`. */
  leaveAll(cause: Cause): void;
  /** Call it in the transaction that changes what meshes know of the machine; then `finish`. */
  machineChanged(): void;
  /** Does what is left to do; what fails is tried again by alarm. */
  finish(): Promise<void>;
}

export interface MembershipParts {
  readonly storage: MachineStorage;
  readonly meshOf: (
    meshId: MeshId,
  ) => Pick<MeshObjectRpc, "addMember" | "removeMember" | "renameMember" | "setMemberGateway">;
  /** The machine is to be told its new state. */
  readonly ring: () => void;
  readonly scheduleBy: (atMs: number) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/** A step takes milliseconds; the alarm is for an object that died in the middle. */
const RESUME_AFTER_MS = 15_000;
const LONGEST_RETRY_MS = 5 * 60_000;

export function createMemberships(parts: MembershipParts): Memberships {
  const { storage, meshOf, ring, scheduleBy, now, log } = parts;
  const inTurn = createTurns<MeshId>();
  let failures = 0;

  function planJoin(request: JoinMeshRequest): Result<MachineRecord, JoinMeshError> {
    const machine = storage.readMachine();
    if (machine === null) return err({ code: "machine_not_found" });
    if (machine.removedAt !== null) return err({ code: "machine_removed" });
    if (storage.readMesh(request.meshId) !== null) return ok(machine);
    const overlapping = storage.readMeshes().find((entry) => isOverlapping(entry.cidr, request.cidr));
    if (overlapping !== undefined) return err({ code: "cidr_overlap", meshId: overlapping.meshId });
    const { meshId, cidr, address, cause } = request;
    const fresh = { meshName: null, requestedAddress: address, ...toTold(machine) };
    storage.putMesh({ meshId, cidr, state: "joining", cause, ...fresh });
    scheduleBy(now() + RESUME_AFTER_MS);
    return ok(machine);
  }

  async function finishJoin(machine: MachineRecord, meshId: MeshId): Promise<Result<AddedMember, JoinMeshError>> {
    const { requestedAddress: address, cause } = readEntry(meshId);
    const { id: machineId, name, isGateway } = machine;
    const request = { machineId, name, isGateway, address, cause };
    const added = releaseReply(await meshOf(meshId).addMember(request));
    // Only the removal of the machine does not wait for its turn.
    const entry = storage.readMesh(meshId);
    if (entry === null || entry.state === "leaving") return err({ code: "machine_removed" });
    if (!added.ok) {
      drop(entry);
      return added;
    }
    if (entry.state === "joined") return added;
    change(() => storage.putMesh({ ...entry, state: "joined", meshName: added.value.meshName, ...toTold(machine) }));
    // The mesh may know it already from an attempt that was interrupted: nobody was answered that it is in.
    return ok({ ...added.value, isNew: true });
  }

  async function finishLeave(meshId: MeshId): Promise<void> {
    const machine = storage.readMachine();
    const entry = storage.readMesh(meshId);
    if (machine === null || entry?.state !== "leaving") return;
    // Both answers mean that it is out: it was removed, or there is no such mesh.
    releaseReply(await meshOf(meshId).removeMember(machine.id, entry.cause));
    storage.deleteMesh(meshId);
  }

  /** Tells the mesh what it does not know of the machine. */
  async function finishChange(meshId: MeshId): Promise<void> {
    const machine = storage.readMachine();
    const entry = storage.readMesh(meshId);
    if (machine === null || entry?.state !== "joined") return;
    const { toldName, toldGateway } = toTold(machine);
    if (entry.toldName === toldName && entry.toldGateway === toldGateway) return;
    if (entry.toldName !== toldName) await meshOf(meshId).renameMember(machine.id, toldName);
    if (entry.toldGateway !== toldGateway) await meshOf(meshId).setMemberGateway(machine.id, toldGateway);
    const after = storage.readMesh(meshId);
    if (after?.state === "joined") storage.putMesh({ ...after, toldName, toldGateway });
  }

  function readEntry(meshId: MeshId): MeshEntry {
    const entry = storage.readMesh(meshId);
    if (entry === null) throw new Error(`no entry of mesh ${meshId}`);
    return entry;
  }

  /** The machine sees only meshes that it has joined: with the others nothing changes for it. */
  function drop(entry: MeshEntry): void {
    if (entry.state === "joined") change(() => storage.deleteMesh(entry.meshId));
    else storage.deleteMesh(entry.meshId);
  }

  function change(write: () => void): void {
    storage.transaction(() => {
      write();
      const machine = storage.readMachine();
      if (machine !== null) storage.writeMachine({ ...machine, revision: machine.revision + 1 });
    });
    ring();
  }

  async function finishEntry({ meshId }: MeshEntry): Promise<void> {
    const machine = storage.readMachine();
    const entry = storage.readMesh(meshId);
    if (machine === null || entry === null) return;
    if (entry.state === "leaving") await finishLeave(meshId);
    else if (entry.state === "joining") await finishJoin(machine, meshId);
    await finishChange(meshId);
  }

  async function tryOrRetry(meshId: MeshId, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      const retryInMs = Math.min(RESUME_AFTER_MS * 2 ** failures, LONGEST_RETRY_MS);
      failures += 1;
      scheduleBy(now() + retryInMs);
      log.warn("a membership is not finished", { meshId, retryInMs, ...toErrorFields(error) });
    }
  }

  return {
    joinMesh: (request) =>
      inTurn(request.meshId, async () => {
        await finishLeave(request.meshId);
        const planned = storage.transaction(() => planJoin(request));
        return planned.ok ? finishJoin(planned.value, request.meshId) : planned;
      }),

    leaveMesh: (meshId, cause) =>
      inTurn(meshId, async () => {
        if (storage.readMachine() === null) return err({ code: "machine_not_found" });
        const entry = storage.readMesh(meshId);
        if (entry === null) return ok(false);
        if (entry.state !== "leaving") {
          change(() => storage.putMesh({ ...entry, state: "leaving", cause }));
          scheduleBy(now() + RESUME_AFTER_MS);
        }
        await tryOrRetry(meshId, () => finishLeave(meshId));
        return ok(true);
      }),

    forgetMesh: (meshId) =>
      inTurn(meshId, async () => {
        const entry = storage.readMesh(meshId);
        if (entry !== null) drop(entry);
      }),

    leaveAll(cause) {
      for (const entry of storage.readMeshes()) storage.putMesh({ ...entry, state: "leaving", cause });
      scheduleBy(now() + RESUME_AFTER_MS);
    },

    machineChanged: () => scheduleBy(now() + RESUME_AFTER_MS),

    async finish() {
      const entries = storage.readMeshes();
      const before = failures;
      await Promise.all(
        entries.map((entry) => tryOrRetry(entry.meshId, () => inTurn(entry.meshId, () => finishEntry(entry)))),
      );
      if (failures === before) failures = 0;
    },
  };
}

const toTold = ({ name, isGateway }: MachineRecord) => ({ toldName: name, toldGateway: isGateway });
