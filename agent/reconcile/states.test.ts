// Desired states and what the system has to be like in each. Any of them must be reachable from any other, whatever came before, and no
// peer that both have may lose anything on the way.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Prefix } from "#schema/prefix";
import { silentLogger } from "../system/logger.ts";
import {
  createKeyFiles,
  deviceOf,
  keyOf,
  MESH_A,
  MESH_B,
  ownKey,
  peerOf,
  shortenKeys,
} from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel, type FakeKernel } from "../testing/fake-kernel.ts";
import { emptyDevice, emptyPeer } from "../testing/fake-kernel-state.ts";
import type { DesiredDevice } from "./desired-device.ts";
import { createReconciler } from "./reconciler.ts";

interface State {
  readonly desired: readonly DesiredDevice[];
  readonly system: string;
}

const meshB = deviceOf({
  meshId: MESH_B,
  interfaceName: "bkt-b",
  listenPort: 51_821,
  ...ownKey(2),
  addresses: ["10.2.0.9/24", "fd00:2::9/64"],
  peers: [peerOf("X", 2, { allowedIps: ["10.2.0.2/32", "fd00:2::2/128"] })],
});
const HEAD_A = 'bkt-a up mtu 1420 "becket A" 10.1.0.1/16 fd00:1::1/64';
const SYSTEM_B = `
bkt-b up mtu 1420 "becket B" 10.2.0.9/24 fd00:2::9/64
  key OWN2 port 51821
  peer X at 192.0.2.2:51820 keepalive 25 allowed 10.2.0.2/32,fd00:2::2/128`;

const STATES: Record<string, State> = {
  "no mesh": { desired: [], system: "" },
  "a mesh with nobody else in it": {
    desired: [deviceOf()],
    system: `
${HEAD_A}
  key OWN1 port 51820`,
  },
  "two peers": {
    desired: [deviceOf({ peers: [peerOf("P", 2), peerOf("Q", 3)] })],
    system: `
${HEAD_A}
  key OWN1 port 51820
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128
  peer Q at 192.0.2.3:51820 keepalive 25 allowed 10.1.0.3/32,fd00:1::3/128`,
  },
  "a third peer, which nobody knows an endpoint of": {
    desired: [
      deviceOf({ peers: [peerOf("P", 2), peerOf("Q", 3), peerOf("R", 4, { endpoint: null, keepaliveSeconds: 0 })] }),
    ],
    system: `
${HEAD_A}
  key OWN1 port 51820
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128
  peer Q at 192.0.2.3:51820 keepalive 25 allowed 10.1.0.3/32,fd00:1::3/128
  peer R at null keepalive 0 allowed 10.1.0.4/32,fd00:1::4/128`,
  },
  "the second peer with a new key": {
    desired: [deviceOf({ peers: [peerOf("P", 2), peerOf("N", 3)] })],
    system: `
${HEAD_A}
  key OWN1 port 51820
  peer N at 192.0.2.3:51820 keepalive 25 allowed 10.1.0.3/32,fd00:1::3/128
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128`,
  },
  "two peers that swapped their addresses": {
    desired: [
      deviceOf({
        peers: [
          peerOf("P", 2, { allowedIps: peerOf("Q", 3).allowedIps }),
          peerOf("Q", 3, { allowedIps: peerOf("P", 2).allowedIps }),
        ],
      }),
    ],
    system: `
${HEAD_A}
  key OWN1 port 51820
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.3/32,fd00:1::3/128
  peer Q at 192.0.2.3:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128`,
  },
  "own address, key, port and MTU changed": {
    desired: [
      deviceOf({
        ...ownKey(3),
        listenPort: 51_900,
        mtuBytes: 1_380,
        addresses: ["10.1.0.77/16", "fd00:1::4d/64"],
        peers: [peerOf("P", 2)],
      }),
    ],
    system: `
bkt-a up mtu 1380 "becket A" 10.1.0.77/16 fd00:1::4d/64
  key OWN3 port 51900
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128`,
  },
  "a gateway": {
    desired: [deviceOf({ forwardsTo: ["bkt-a"], peers: [peerOf("P", 2)] })],
    system: `
${HEAD_A.replace("1420", "1420 forwards")}
  key OWN1 port 51820
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128`,
  },
  "a VIP that it holds, and a network behind it": {
    desired: [
      deviceOf({
        addresses: ["10.1.0.1/16", "fd00:1::1/64", "10.1.0.99/32", "fd00:1::63/128"],
        networks: [{ prefix: "192.168.7.0/24" as Prefix, isMasquerading: true }],
        peers: [peerOf("P", 2)],
      }),
    ],
    system: `
${HEAD_A.replace("1420", "1420 forwards").replace("10.1.0.1/16", "10.1.0.1/16 10.1.0.99/32")} fd00:1::63/128
  key OWN1 port 51820
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128`,
  },
  "two meshes": { desired: [deviceOf(), meshB], system: `\n${HEAD_A}\n  key OWN1 port 51820${SYSTEM_B}` },
  "only the other mesh": { desired: [meshB], system: SYSTEM_B },
  "the other mesh under the first one's name and with its port": {
    desired: [{ ...meshB, interfaceName: "bkt-a", listenPort: 51_820 }],
    system: SYSTEM_B.replace("bkt-b", "bkt-a").replace("51821", "51820"),
  },
  "two peers that claim one address, and one that has our own key": {
    desired: [
      deviceOf({
        peers: [
          peerOf("P", 2),
          peerOf("Q", 2, { endpointVersion: 2 }),
          peerOf("O", 5, { publicKey: ownKey(1).publicKey }),
          peerOf("P", 6),
        ],
      }),
    ],
    system: `
${HEAD_A}
  key OWN1 port 51820
  peer P at 192.0.2.2:51820 keepalive 25 allowed 10.1.0.2/32,fd00:1::2/128
  peer Q at 192.0.2.2:51820 keepalive 25 allowed ${""}`,
  },
};

const FOREIGN = [
  "lo up mtu 65536 127.0.0.1/8 ::1/128",
  "eth0 up mtu 1500 192.0.2.1/24",
  'bkt-theirs up mtu 1500 "not becket" 10.9.0.1/24',
  "wg0 up mtu 1420 10.8.0.1/24",
  `  key ${keyOf("F")} port 51999`,
].join("\n");

function createSystem(hasWireGuard: boolean) {
  const files = createKeyFiles();
  const clock = createFakeClock();
  const kernel = createFakeKernel({ files, hasWireGuard });
  kernel.addLink("eth0", { isUp: true, addresses: ["192.0.2.1/24"] });
  kernel.addLink("bkt-theirs", { kind: "dummy", alias: "not becket", isUp: true, addresses: ["10.9.0.1/24"] });
  const device = { privateKey: "theirs", publicKey: keyOf("F"), listenPort: 51_999, peers: new Map() };
  kernel.addLink("wg0", { kind: "wireguard", isUp: true, mtuBytes: 1_420, addresses: ["10.8.0.1/24"], device });
  // Every reconciler but the first is a restarted agent.
  const start = (run = kernel.run) => createReconciler({ exec: { run }, files, clock, log: silentLogger });
  return { kernel, start };
}

function expectSystem(kernel: FakeKernel, { system }: State): void {
  // WireGuard lists interfaces in the order of their making, which no state is about.
  const blocks = (text: string) =>
    text
      .split(/\n(?=\S)/)
      .filter((block) => block !== "")
      .sort()
      .join("\n");
  expect(shortenKeys(blocks(kernel.render()))).toBe(shortenKeys(blocks(`${FOREIGN}${system}`)));
}

/** From now on, a peer that is the same in both states must stay the very same after each command. */
function watchPeers(kernel: FakeKernel, from: State, to: State): () => void {
  const rendered = (state: State) => new Set(state.system.split("\n").filter((line) => line.startsWith("  peer ")));
  const [before, after] = [rendered(from), rendered(to)];
  const kept = [...kernel.links].flatMap(([link, { alias, device }]) =>
    [...(device?.peers ?? [])]
      .filter(([key]) => [...before].some((line) => after.has(line) && line.startsWith(`  peer ${shortenKeys(key)} `)))
      .map(([key, peer]) => ({ link, alias, key, peer, allowedIps: [...peer.allowedIps] })),
  );
  return () => {
    for (const { link, alias, key, peer, allowedIps } of kept) {
      if (to.desired.some((device) => device.interfaceName === link && alias?.endsWith(device.meshId))) {
        expect(kernel.peer(link, key)).toBe(peer);
        expect(peer.allowedIps).toEqual(allowedIps);
      }
    }
  };
}

const named = Object.entries(STATES);
const NOTHING: State = { desired: [], system: "" };

describe.each([true, false])("a system whose kernel has WireGuard: %s", (hasWireGuard) => {
  it.each(named)("is brought from nothing to: %s", async (_, state) => {
    const { kernel, start } = createSystem(hasWireGuard);
    const reconciler = start();

    reconciler.setDesired(state.desired);
    await reconciler.whenSettled();

    expectSystem(kernel, state);
  });

  it("is brought from any state to any other without touching a peer that both have", async () => {
    const steps = fc.array(fc.record({ index: fc.nat(named.length - 1), restarts: fc.boolean() }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const { kernel, start } = createSystem(hasWireGuard);
        let reconciler = start();
        let from = NOTHING;
        for (const { index, restarts } of sequence) {
          const to = named[index]?.[1] ?? NOTHING;
          if (restarts) {
            await reconciler.stop();
            reconciler = start();
          }
          const check = watchPeers(kernel, from, to);
          kernel.onCommand = check;
          reconciler.setDesired(to.desired);
          await reconciler.whenSettled();
          kernel.onCommand = () => undefined;
          check();
          expectSystem(kernel, to);
          from = to;
        }
        await reconciler.stop();
      }),
      { numRuns: 60 },
    );
  });

  it.each(named)("is left alone by a restarted agent when it is already: %s", async (_, state) => {
    const { kernel, start } = createSystem(hasWireGuard);
    const first = start();
    first.setDesired(state.desired);
    await first.whenSettled();
    await first.stop();
    kernel.changes.length = 0;

    const second = start();
    second.setDesired(state.desired);
    await second.whenSettled();

    expect(kernel.changes).toEqual([]);
    expect([...second.state().meshes.values()].flatMap(({ failures }) => failures)).toEqual([]);
  });

  it("is left alone once it is as desired, whatever was desired, even nonsense", async () => {
    const peer = fc.record({
      letter: fc.constantFrom("P", "Q", "R", "S"),
      host: fc.integer({ min: 1, max: 4 }),
      keepaliveSeconds: fc.constantFrom(0, 25),
    });
    const device = fc.record({
      interfaceName: fc.constantFrom("bkt-a", "bkt-b", "bkt-theirs"),
      meshId: fc.constantFrom(MESH_A, MESH_B),
      key: fc.integer({ min: 1, max: 4 }),
      listenPort: fc.integer({ min: 51_820, max: 51_825 }),
      addresses: fc.subarray(["10.1.0.1/16", "10.1.0.2/16", "10.3.0.1/24", "10.9.0.7/16", "fd00:1::1/64"]),
      peers: fc.array(peer, { maxLength: 6 }),
    });
    const oneForEachMesh = fc.uniqueArray(device, { maxLength: 2, selector: ({ meshId }) => meshId });
    await fc.assert(
      fc.asyncProperty(fc.array(oneForEachMesh, { minLength: 1, maxLength: 4 }), async (sequence) => {
        const { kernel, start } = createSystem(hasWireGuard);
        for (const devices of sequence) {
          const desired = devices.map(({ key, peers, ...rest }) =>
            deviceOf({
              ...rest,
              ...ownKey(key),
              peers: peers.map(({ letter, host, ...more }) => peerOf(letter, host, more)),
            }),
          );
          const reconciler = start();
          reconciler.setDesired(desired);
          await reconciler.whenSettled();
          await reconciler.stop();
          const isDone = [...reconciler.state().meshes.values()].every(({ failures }) => failures.length === 0);
          kernel.changes.length = 0;

          const restarted = start();
          restarted.setDesired(desired);
          await restarted.whenSettled();
          await restarted.stop();

          // What could not be done is tried again; what could be is not touched.
          if (isDone) expect(kernel.changes).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each(["superseded", "killed"])(
    "keeps no interface of a mesh left while it was joined: %s at any command",
    async (how) => {
      const [, joined = NOTHING] = named.find(([name]) => name === "two meshes") ?? [];
      for (let count = 1, isDone = false; !isDone; count++) {
        const { kernel, start } = createSystem(hasWireGuard);
        let left = count;
        let interrupt = () => {};
        const interrupted = new Promise<void>((resolve) => {
          interrupt = resolve;
        });
        let isKilled = false;
        const first = start(async (argv, options) => {
          // As in life: whatever happens, happens after the command was given.
          await Promise.resolve();
          if (--left === 0) {
            interrupt();
            isKilled = how === "killed";
            if (how === "superseded") first.setDesired([]);
          }
          // Of an agent that is killed nothing more comes.
          if (isKilled) await new Promise(() => {});
          return kernel.run(argv, options);
        });
        first.setDesired(joined.desired);
        isDone = await Promise.race([interrupted.then(() => false), first.whenSettled().then(() => left > 0)]);
        left = Number.POSITIVE_INFINITY;
        const last = how === "killed" ? start() : first;
        await last.removeEverything();
        expectSystem(kernel, NOTHING);
      }
    },
  );

  it("takes up a blank interface again whose name is wanted, and removes one whose name is not", async () => {
    const [, state = NOTHING] = named.find(([name]) => name === "two meshes") ?? [];
    const { kernel, start } = createSystem(hasWireGuard);
    for (const name of ["bkt-a", "bkt-old"]) kernel.addLink(name, { mtuBytes: 1_420, device: emptyDevice() });
    const reconciler = start();

    reconciler.setDesired(state.desired);
    await reconciler.whenSettled();

    expectSystem(kernel, state);
    expect(kernel.changes.filter((command) => / (add|delete) dev |wireguard-go/.test(command)).join("\n")).not.toMatch(
      /bkt-a\b/,
    );
  });

  it("is mended whatever somebody did to our interfaces", async () => {
    const [, state = NOTHING] = named.find(([name]) => name === "two meshes") ?? [];
    const damage: Record<string, (kernel: FakeKernel) => void> = {
      "an interface deleted": (kernel) => kernel.links.delete("bkt-a"),
      "an interface down": (kernel) =>
        Object.assign(kernel.links.get("bkt-a") ?? {}, { isUp: false, addresses: ["10.1.0.1/16"] }),
      "an address removed": (kernel) => Object.assign(kernel.links.get("bkt-a") ?? {}, { addresses: [] }),
      "an address added": (kernel) => kernel.links.get("bkt-b")?.addresses.unshift("10.2.0.8/24"),
      "the MTU changed": (kernel) => Object.assign(kernel.links.get("bkt-b") ?? {}, { mtuBytes: 1_280 }),
      "a peer removed": (kernel) => kernel.device("bkt-b").peers.clear(),
      "a foreign peer that took an address": (kernel) => {
        const { peers } = kernel.device("bkt-b");
        for (const peer of peers.values()) peer.allowedIps = ["fd00:2::2/128"];
        peers.set(keyOf("E"), { ...emptyPeer(), allowedIps: ["10.2.0.2/32"] });
      },
      "the key changed": (kernel) => Object.assign(kernel.device("bkt-a"), ownKey(4)),
      "the port changed": (kernel) => Object.assign(kernel.device("bkt-a"), { listenPort: 40_000 }),
      "WireGuard without a socket": (kernel) => Object.assign(kernel.device("bkt-a"), { listenPort: 0 }),
      "WireGuard gone from behind the interface": (kernel) =>
        Object.assign(kernel.links.get("bkt-a") ?? {}, { device: null }),
    };
    const wounds = fc.subarray(Object.keys(damage).filter((name) => !/deleted|gone/.test(name)));
    const fatal = fc.constantFrom(...Object.keys(damage));
    await fc.assert(
      fc.asyncProperty(wounds, fatal, async (names, last) => {
        const { kernel, start } = createSystem(hasWireGuard);
        const reconciler = start();
        reconciler.setDesired(state.desired);
        await reconciler.whenSettled();
        for (const name of [...names, last]) damage[name]?.(kernel);

        reconciler.setDesired(state.desired);
        await reconciler.whenSettled();

        expectSystem(kernel, state);
        await reconciler.stop();
      }),
      { numRuns: 60 },
    );
  });
});
