// A mesh for tests: its object, straight, and what tests do with it again and again.
import { env } from "cloudflare:workers";
import { Ipv4, Ipv6Cidr } from "#schema/address";
import type { MeshSettings } from "#schema/desired-state";
import type { MachineId } from "#schema/ids";
import { type Fallback, FIRST_PRIVATE_ASN, MeshCidr } from "#schema/mesh";
import { NO_POLICIES } from "#schema/policy";
import { FromMeshMessage } from "#schema/wire/messages";
import type { MeshObject } from "../mesh-object/mesh-object.ts";
import type { AddedMember } from "../mesh-object/rpc.ts";
import { createObjects } from "../objects.ts";
import type { Cause } from "../outbox/cause.ts";
import {
  createFakePoller,
  createHello,
  createMachineId,
  createMeshId,
  type HelloOptions,
  openMeshSocket,
  toObject,
} from "./fake-agent.ts";

export const TEST_CAUSE: Cause = { actor: { kind: "owner_token", id: null, name: "owner" }, requestId: "req_test" };

export async function createTestMesh({
  cidr = "10.1.0.0/16",
  fallback = "relay",
}: {
  cidr?: string;
  fallback?: Fallback;
} = {}) {
  const settings: MeshSettings = {
    id: createMeshId(),
    name: "office",
    cidr: MeshCidr.parse(cidr),
    cidr6: Ipv6Cidr.parse("fd00:1:2:3::/64"),
    asn: FIRST_PRIVATE_ASN,
    fallback,
    routeReflectorMode: false,
    keyRotationDays: null,
    policies: NO_POLICIES,
  };
  const mesh = createObjects(env).mesh(settings.id);
  await mesh.initialise(settings);

  const add = (machineId: MachineId, { name = "box", address }: { name?: string; address?: string } = {}) =>
    mesh.addMember({
      machineId,
      name,
      address: address === undefined ? null : Ipv4.parse(address),
      isGateway: false,
      cause: TEST_CAUSE,
    });

  async function addNew(name = "box"): Promise<AddedMember & { machineId: MachineId }> {
    const machineId = createMachineId();
    const added = await add(machineId, { name });
    if (!added.ok) throw new Error(added.error.code);
    return { ...added.value, machineId };
  }

  /** A new member with a socket that said hello, and the answer to it. */
  async function connectNew(hello: HelloOptions = {}) {
    const { machineId } = await addNew();
    const socket = await openMeshSocket(toObject(mesh, machineId));
    socket.send(createHello(hello));
    return { machineId, socket, answer: await socket.next() };
  }

  return {
    settings,
    mesh,
    /** For the test helpers that look into an object. */
    stub: env.MESH.getByName(settings.id) as unknown as DurableObjectStub<MeshObject>,
    add,
    addNew,
    connectNew,
    remove: (machineId: MachineId) => mesh.removeMember(machineId, TEST_CAUSE),
    poller: (machineId: MachineId) => createFakePoller(toObject(mesh, machineId), FromMeshMessage),
    socket: (machineId: MachineId) => openMeshSocket(toObject(mesh, machineId)),
  };
}
export type TestMesh = Awaited<ReturnType<typeof createTestMesh>>;
