// A connected member for tests of what is the same over both transports: it sends, and waits for messages of a type.

import type { MachineId } from "#schema/ids";
import type { FromMeshMessage } from "#schema/wire/messages";
import { createHello, createMeshView, type HelloOptions } from "./fake-agent.ts";
import type { TestMesh } from "./test-mesh.ts";

type MessageOf<Type extends FromMeshMessage["type"]> = Extract<FromMeshMessage, { type: Type }>;

export interface TestMember {
  readonly machineId: MachineId;
  send(...messages: unknown[]): Promise<void>;
  /** The next message of this type; those of other types before it are skipped. */
  next<Type extends FromMeshMessage["type"]>(type: Type): Promise<MessageOf<Type>>;
  /** Everything that came for it by now, apart from what `next` took or skipped. */
  drain(): Promise<FromMeshMessage[]>;
}

export type TransportName = "socket" | "long-poll";
export const TRANSPORTS: readonly TransportName[] = ["socket", "long-poll"];

/** A new member, or the one that is named, which has said hello. */
export async function connectMember(
  mesh: TestMesh,
  transport: TransportName,
  { machineId, ...hello }: HelloOptions & { readonly machineId?: MachineId } = {},
): Promise<TestMember> {
  const id = machineId ?? (await mesh.addNew()).machineId;
  const open = transport === "socket" ? openSocketMember : openPollingMember;
  return open(mesh, id, createHello(hello));
}

async function openSocketMember(mesh: TestMesh, machineId: MachineId, hello: object): Promise<TestMember> {
  const socket = await mesh.socket(machineId);
  let answered = 0;
  const next: TestMember["next"] = async (type) => {
    for (;;) {
      const message = await socket.next();
      answered += 1;
      if (message.type === type) return message as MessageOf<typeof type>;
    }
  };
  socket.send(hello);
  await next("sync.snapshot");
  return {
    machineId,
    next,
    async send(...messages) {
      for (const message of messages) socket.send(message);
    },
    async drain() {
      // What was sent to it before this answer has arrived with it.
      const before = answered;
      socket.send({ type: "sync.heartbeat", epoch: "other", revision: 0 });
      await next("sync.snapshot");
      return socket.received.slice(before, answered - 1);
    },
  };
}

async function openPollingMember(mesh: TestMesh, machineId: MachineId, hello: object): Promise<TestMember> {
  const poller = mesh.poller(machineId);
  const view = createMeshView();
  const queue: FromMeshMessage[] = [];
  const take = (messages: readonly FromMeshMessage[]) => {
    for (const message of messages) view.take(message);
    queue.push(...messages);
  };
  const poll = async (wait: number) => {
    const { epoch, revision } = view.position() ?? { epoch: "", revision: 0 };
    take(await poller.poll({ epoch, since: revision, wait }));
  };
  const next: TestMember["next"] = async (type) => {
    for (;;) {
      const message = queue.shift();
      if (message === undefined) await poll(20);
      else if (message.type === type) return message as MessageOf<typeof type>;
    }
  };
  take(await poller.post(hello));
  await next("sync.snapshot");
  return {
    machineId,
    next,
    send: async (...messages) => take(await poller.post(...messages)),
    async drain() {
      await poll(0);
      return queue.splice(0);
    },
  };
}
