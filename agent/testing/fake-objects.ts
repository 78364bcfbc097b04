// What a Mesh object and a Machine object do with messages, whatever carries them. For the fake control plane.
import type { PeerRow } from "#schema/desired-state";
import type { MachineId, MeshId } from "#schema/ids";
import type { KeyReplacement } from "#schema/machine";
import {
  type FromMeshMessage,
  type MemberUpdate,
  type SyncApplied,
  ToMachineMessage,
  ToMeshMessage,
} from "#schema/wire/messages";
import { createMeshModel, type MeshModel } from "./mesh-model.ts";

export interface FakeObject {
  /** Takes one message of a machine and answers it; null when it makes no sense. */
  receive(machineId: MachineId, message: unknown): readonly object[] | null;
  /** What a poll from this place would be told now; empty when there is nothing new. */
  poll(query: URLSearchParams): readonly object[];
  /** Null: welcome; else the problem code. */
  refuse(machineId: MachineId): string | null;
}

export interface FakeMesh extends FakeObject {
  readonly model: MeshModel;
  addMember(machineId: MachineId, name: string, host: number): void;
  /** Lets its members reach one another through this one, where the mesh's fallback is transit. */
  setGateway(machineId: MachineId): void;
  removeMember(machineId: MachineId): void;
  /** A change, told to everybody connected. */
  change(message: object): void;
  /** The reports of what was applied, oldest first. */
  readonly applied: (SyncApplied & { readonly machineId: MachineId })[];
  readonly hellos: number[];
  /** What members said about paths, oldest first. */
  readonly signals: { readonly machineId: MachineId; readonly message: ToMeshMessage }[];
}

type Facts = Pick<MemberUpdate, "publicKey" | "candidates" | "deviceEpoch" | "nat" | "answersChecks">;

export type Publish = (message: object, except?: MachineId | undefined) => void;

/** How a mesh reaches its members. */
export interface FakeMeshPorts {
  readonly publish: Publish;
  /** False: it is not connected. */
  readonly tell: (machineId: MachineId, message: FromMeshMessage) => boolean;
  readonly isConnected: (machineId: MachineId) => boolean;
  readonly now: () => number;
  /** A ticket that opens a relay. */
  readonly createTicket: () => string;
}

export function createFakeMesh(
  index: number,
  { publish, tell, isConnected, now, createTicket }: FakeMeshPorts,
): FakeMesh {
  const model = createMeshModel(index);
  const members = new Map<MachineId, { name: string; host: number }>();
  const applied: FakeMesh["applied"] = [];
  const hellos: number[] = [];
  const signals: FakeMesh["signals"] = [];
  /** By "machine peer". */
  const wishes = new Map<string, readonly MachineId[]>();
  let gatewayId: MachineId | null = null;

  function learn(machineId: MachineId, facts: Facts, isHello: boolean): void {
    const { publicKey, candidates, deviceEpoch, nat, answersChecks } = facts;
    const member = members.get(machineId);
    const known = model.desired().members.find((row) => row.machineId === machineId);
    const key = publicKey ?? known?.publicKey;
    if (member === undefined || key === undefined) return;
    const row = {
      machineId,
      name: member.name,
      address: `10.${index + 1}.0.${member.host}`,
      address6: `fd00:${index + 1}::${member.host}`,
      publicKey: key,
      keySinceMs: key === known?.publicKey ? known.keySinceMs : now(),
      candidates: candidates ?? known?.candidates ?? [],
      deviceEpoch: deviceEpoch ?? known?.deviceEpoch,
      nat: nat ?? known?.nat,
      answersChecks: answersChecks ?? known?.answersChecks ?? true,
      isGateway: gatewayId === machineId,
    } as PeerRow;
    // The answer to a hello tells the sender all; after an update it is told what became of it.
    if (JSON.stringify(row) !== JSON.stringify(known)) publish(model.putRow(row), isHello ? machineId : undefined);
  }

  /** The gateway that both ends have named. */
  function agreedOf(machineId: MachineId, peerId: MachineId): MachineId | null {
    const peers = wishes.get(`${peerId} ${machineId}`) ?? [];
    return wishes.get(`${machineId} ${peerId}`)?.find((id) => peers.includes(id)) ?? null;
  }
  function toTransitSet(machineId: MachineId): FromMeshMessage {
    const pairs = [...members.keys()].flatMap((peerId) => {
      const agreed = agreedOf(machineId, peerId);
      return agreed === null ? [] : [{ peerId, gatewayId: agreed }];
    });
    return { type: "transit.set", pairs };
  }

  /** Passes on to the peer what concerns it; nothing of it is kept. */
  function passOn(machineId: MachineId, message: ToMeshMessage): readonly FromMeshMessage[] {
    switch (message.type) {
      case "punch.request":
        tell(message.peerId, { ...message, type: "punch.requested", peerId: machineId });
        return [];
      case "relay.request": {
        const { peerId } = message;
        const ticketOf = (peer: MachineId, isInvitation: boolean): FromMeshMessage => ({
          ...{ type: "relay.ticket", peerId: peer, isInvitation, ticket: createTicket() },
        });
        if (tell(peerId, ticketOf(machineId, true))) return [ticketOf(peerId, false)];
        return [{ type: "relay.refused", peerId, code: "peer_offline", message: "it is not connected" }];
      }
      case "peer.observed":
        tell(message.peerId, { type: "endpoint.observed", endpoint: message.endpoint, observedBy: machineId });
        return [];
      case "transit.request": {
        const { peerId, gatewayIds } = message;
        wishes.set(`${machineId} ${peerId}`, gatewayIds);
        if (agreedOf(machineId, peerId) === null && gatewayIds.length > 0) {
          tell(peerId, { type: "transit.requested", peerId: machineId });
        }
        tell(peerId, toTransitSet(peerId));
        return [toTransitSet(machineId)];
      }
      case "presence.request":
        return [{ type: "presence.told", absentIds: [...members.keys()].filter((id) => !isConnected(id)) }];
      default:
        return [];
    }
  }

  const isTaken = (machineId: MachineId, { publicKey }: Facts) =>
    model.desired().members.some((row) => row.publicKey === publicKey && row.machineId !== machineId);
  const refuseKey = () => [{ type: "error", code: "key_taken", message: "another member has this key" }];

  return {
    model,
    applied,
    hellos,
    signals,
    addMember: (machineId, name, host) => members.set(machineId, { name, host }),
    removeMember(machineId) {
      members.delete(machineId);
      publish(model.removeRow(machineId), machineId);
    },
    setGateway(machineId) {
      gatewayId = machineId;
      learn(machineId, {}, false);
    },
    change: (message) => publish(message),
    refuse: (machineId) => (members.has(machineId) ? null : "not_a_member"),
    receive(machineId, input) {
      const parsed = ToMeshMessage.safeParse(input);
      if (!parsed.success) return null;
      const message = parsed.data;
      switch (message.type) {
        case "sync.hello":
          hellos.push(message.position?.revision ?? -1);
          if (isTaken(machineId, message)) return refuseKey();
          learn(machineId, message, true);
          return [model.answerHello(message.position)];
        case "member.update":
          if (isTaken(machineId, message)) return refuseKey();
          learn(machineId, message, false);
          return [];
        case "sync.applied":
          applied.push({ ...message, machineId });
          return [];
        case "sync.heartbeat":
          return [model.answerHeartbeat(message)];
        default:
          signals.push({ machineId, message });
          return passOn(machineId, message);
      }
    },
    poll(query) {
      const position = { epoch: query.get("epoch") ?? "", revision: Number(query.get("since") ?? -1) };
      const { epoch, revision } = model.desired();
      return position.epoch === epoch && position.revision >= revision ? [] : [model.answerHello(position)];
    },
  };
}

export interface FakeMachine extends FakeObject {
  setMeshes(meshes: readonly { meshId: MeshId; name: string }[]): void;
  rename(name: string): void;
  /** Somebody asks for new keys. */
  replaceKeys(order: KeyReplacement): void;
  /** It is told that this public key of its identity is to be replaced. */
  setDueIdentityKey(key: string | null): void;
  remove(): void;
  state(): {
    revision: number;
    name: string;
    meshes: readonly { meshId: MeshId; name: string }[];
    keyReplacement: KeyReplacement | null;
    dueIdentityKey: string | null;
  };
}

export function createFakeMachine(initialName: string, publish: Publish): FakeMachine {
  let isRemoved = false;
  let state: ReturnType<FakeMachine["state"]> = {
    ...{ revision: 1, name: initialName, meshes: [], keyReplacement: null, dueIdentityKey: null },
  };
  const toMessage = () => ({ type: "machine.state", ...state });
  const change = (next: Partial<typeof state>) => {
    state = { ...state, ...next, revision: state.revision + 1 };
    publish(toMessage());
  };
  return {
    state: () => state,
    setMeshes: (meshes) => change({ meshes }),
    rename: (name) => change({ name }),
    replaceKeys: (keyReplacement) => change({ keyReplacement }),
    setDueIdentityKey: (dueIdentityKey) => change({ dueIdentityKey }),
    remove: () => {
      isRemoved = true;
      publish({ type: "machine.removed" });
    },
    refuse: () => (isRemoved ? "machine_removed" : null),
    receive: (_, message) => (ToMachineMessage.safeParse(message).success ? [toMessage()] : null),
    poll: (query) => (Number(query.get("since") ?? -1) >= state.revision ? [] : [toMessage()]),
  };
}
