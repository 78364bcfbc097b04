import { describe, expect, it } from "vitest";
import { createIp } from "../net/ip.ts";
import { createForwardGuard } from "../net/nft/forward-guard.ts";
import { readObservedState } from "../reconcile/observe.ts";
import { MESH_A, MESH_B } from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { emptyDevice } from "../testing/fake-kernel-state.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { createWireGuard } from "../wireguard/wireguard.ts";
import { createDeviceChooser } from "./local-device.ts";

function setUp() {
  const files = createMemoryFiles();
  let draws = 1;
  const kernel = createFakeKernel({ files });
  const wireguard = createWireGuard({ exec: kernel, files, clock: createFakeClock() });
  const chooser = createDeviceChooser({
    files,
    observe: () => readObservedState({ ip: createIp(kernel), guard: createForwardGuard(kernel), wireguard, files }),
    isUdpPortFree: async () => true,
    random: () => 1 / ++draws,
    stateDir: "/state",
    runDir: "/run",
  });
  return { kernel, chooser };
}

const office = { meshId: MESH_A, name: "office", known: null };

describe("the name of a mesh's interface", () => {
  it("is the one that it has already", async () => {
    const { kernel, chooser } = setUp();
    kernel.addLink("bkt-office-2", { alias: `becket ${MESH_A}`, device: emptyDevice() });
    expect(await chooser.choose(office, [])).toMatchObject({ interfaceName: "bkt-office-2" });
  });

  it("is that of a blank interface, which an agent that was killed began", async () => {
    const { kernel, chooser } = setUp();
    kernel.addLink("bkt-office", { device: emptyDevice() });
    expect(await chooser.choose(office, [])).toMatchObject({ interfaceName: "bkt-office" });
  });

  it.each([
    ["is another mesh's", { alias: `becket ${MESH_B}`, device: emptyDevice() }],
    ["is no WireGuard", { kind: "dummy" }],
    ["has an address", { device: emptyDevice(), addresses: ["10.9.0.1/24"] }],
    ["has a key", { device: { ...emptyDevice(), publicKey: "theirs" } }],
  ])("is numbered where an interface of that name %s", async (_, link) => {
    const { kernel, chooser } = setUp();
    kernel.addLink("bkt-office", link);
    expect(await chooser.choose(office, [])).toMatchObject({ interfaceName: "bkt-office-2" });
  });
});

describe("the device epoch", () => {
  const known = { interfaceName: "bkt-office", listenPort: 51_820, deviceEpoch: "before" };

  it("is another one when the interface has to be made, as after a boot", async () => {
    const { chooser } = setUp();
    const first = await chooser.choose({ ...office, known }, []);
    const second = await chooser.choose({ ...office, known }, []);
    expect(first.deviceEpoch).toMatch(/^[a-z0-9]{1,16}$/);
    expect(new Set([known.deviceEpoch, first.deviceEpoch, second.deviceEpoch]).size).toBe(3);
  });

  it("stays while the interface does, and is not made up when it was forgotten", async () => {
    const { kernel, chooser } = setUp();
    kernel.addLink("bkt-office", { alias: `becket ${MESH_A}`, device: emptyDevice() });
    expect(await chooser.choose({ ...office, known }, [])).toMatchObject({ deviceEpoch: "before" });
    expect(await chooser.choose(office, [])).toMatchObject({ deviceEpoch: null });
  });
});
