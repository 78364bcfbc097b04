// Two machines with an agent each, on one network and in one mesh: what they tell each other goes through one fake control plane.
import { expect } from "vitest";
import type { MachineId } from "#schema/ids";
import type { PeerExplanation } from "#schema/path";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeControlPlane, type FakeControlPlane } from "./fake-control-plane.ts";
import type { FakeMesh } from "./fake-objects.ts";
import { createFakeUdp, type FakeUdp } from "./fake-udp.ts";
import { createTestMachine, type RunningAgent, type StartOptions, type TestMachine } from "./test-machine.ts";

export interface TwoMachines {
  readonly plane: FakeControlPlane;
  readonly mesh: FakeMesh;
  readonly network: FakeUdp;
  readonly clock: FakeClock;
  readonly one: Member;
  readonly other: Member;
  /** Until both have applied that the other is there. */
  untilJoined(): Promise<void>;
  until<T>(check: () => T | Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface Member {
  readonly machine: TestMachine;
  readonly machineId: MachineId;
  start(options?: StartOptions): RunningAgent;
  stop(): Promise<unknown>;
  /** What its agent says of the other. */
  explain(): PeerExplanation;
  /** Sends a text into the tunnel to the other. */
  ping(text: string): void;
  /** What its WireGuard has of the other. */
  peer(): ReturnType<TestMachine["kernel"]["peer"]>;
  /** Changes of interfaces and peers so far. */
  tunnelChanges(): string[];
}

const INTERFACE = "bkt-mesh-0";

export async function createTwoMachines(): Promise<TwoMachines> {
  const [clock, network] = [createFakeClock(Date.now()), createFakeUdp()];
  const plane = await createFakeControlPlane(clock.now);
  const mesh = plane.addMesh(0);
  const second = plane.addMachine(2);
  plane.join(mesh, second);
  const one = createMember(1, plane.machineId, second);
  const other = createMember(2, second, plane.machineId);
  const running: RunningAgent[] = [];

  function createMember(number: number, machineId: MachineId, peerId: MachineId): Member {
    const machine = createTestMachine({ number, clock, network });
    let agent: RunningAgent | null = null;
    const keyOfPeer = () => {
      const row = mesh.model.desired().members.find((member) => member.machineId === peerId);
      if (row === undefined) throw new Error("the other has not joined yet");
      return row.publicKey;
    };
    return {
      machine,
      machineId,
      start(options = {}) {
        agent = machine.start({ url: plane.url, ...options });
        running.push(agent);
        return agent;
      },
      stop: async () => agent?.stop(),
      explain() {
        const [path] = agent?.explain(peerId).paths ?? [];
        if (path === undefined) throw new Error("the agent knows no path to the other");
        return path;
      },
      ping: (text) => machine.wireguard.send(INTERFACE, keyOfPeer(), text),
      peer: () => machine.kernel.peer(INTERFACE, keyOfPeer()),
      tunnelChanges: () => machine.kernel.changes.filter((command) => !command.startsWith("nft ")),
    };
  }

  return {
    ...{ plane, mesh, network, clock, one, other },
    untilJoined: () =>
      one.machine.until(() => {
        const { revision, members } = mesh.model.desired();
        expect(members).toHaveLength(2);
        for (const { machineId } of [one, other]) {
          const newest = mesh.applied.filter((report) => report.machineId === machineId).at(-1);
          expect(newest?.revision).toBe(revision);
        }
      }),
    until: one.machine.until,
    pass: one.machine.pass,
    async close() {
      for (const agent of running) await agent.stop().catch(() => {});
      await plane.close();
    },
  };
}
