import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "#schema/address";
import { createPacketFilter } from "../../stun/packet-filter.ts";
import { CommandError, type Exec } from "../../system/exec.ts";
import { silentLogger } from "../../system/logger.ts";
import { createFakeClock, type FakeClock } from "../../testing/fake-clock.ts";
import { createFakeKernel, type FakeKernel } from "../../testing/fake-kernel.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { testMeshId } from "../../testing/mesh-model.ts";
import { createRuleBook } from "./rule-book.ts";

const [ONE, OTHER] = [testMeshId(0), testMeshId(1)];
const remote = (number: number) => `198.51.100.${number}:4000` as Endpoint;
const laneTo = (number: number, localPort = 45_000, wireguardPort = 51_820) => ({
  ...{ wireguardPort, localPort, remote: remote(number) },
});

let kernel: FakeKernel;
let clock: FakeClock;
let lever: { isMissing: boolean };
let problems: (string | null)[];
beforeEach(() => {
  kernel = createFakeKernel({ files: createMemoryFiles() });
  clock = createFakeClock();
  lever = { isMissing: false };
  problems = [];
});

/** As an agent that starts: another rule book, the same system. */
function start() {
  const exec: Exec = {
    async run(argv, options) {
      if (!lever.isMissing) return kernel.run(argv, options);
      const failure = { argv, exitCode: null, signal: null, stderr: "", timedOut: false };
      throw new CommandError({ ...failure, reason: "could not be run" });
    },
  };
  const book = createRuleBook({
    ...{ filter: createPacketFilter(exec), clock, log: silentLogger },
    onProblemChanged: () => problems.push(book.problem()),
  });
  return book;
}
const inForce = () => createPacketFilter(kernel).read();

describe("the packet rules of this machine", () => {
  it("are those of all meshes, in one table", async () => {
    const book = start();
    await Promise.all([book.setPort(ONE, 51_820, 40_000), book.setPort(OTHER, 51_821, 40_001)]);
    expect((await inForce())?.ports).toEqual([
      { wireguardPort: 51_820, probePort: 40_000 },
      { wireguardPort: 51_821, probePort: 40_001 },
    ]);
    book.dropPort(ONE);
    await clock.advance(0);
    expect((await inForce())?.ports).toEqual([{ wireguardPort: 51_821, probePort: 40_001 }]);
  });

  it("have one lane to each endpoint, the newest", async () => {
    const book = start();
    await book.setPort(ONE, 51_820, 40_000);
    await book.addLane(laneTo(1));
    await book.addLane(laneTo(2));
    await book.addLane(laneTo(1, 45_001));
    expect((await inForce())?.lanes).toEqual([laneTo(2), laneTo(1, 45_001)]);
    book.dropLane(laneTo(2));
    await clock.advance(0);
    expect((await inForce())?.lanes).toEqual([laneTo(1, 45_001)]);
  });

  it("keep their lanes when the agent restarts, because traffic is on them, and lose them with their mesh", async () => {
    const before = start();
    await before.setPort(ONE, 51_820, 40_000);
    await before.setPort(OTHER, 51_821, 40_001);
    await before.addLane(laneTo(1));
    await before.addLane(laneTo(2, 45_001, 51_821));
    before.stop();
    const after = start();
    await after.setPort(ONE, 51_820, 40_007);
    await after.setPort(OTHER, 51_821, 40_008);
    expect(await inForce()).toEqual({
      ports: [
        { wireguardPort: 51_820, probePort: 40_007 },
        { wireguardPort: 51_821, probePort: 40_008 },
      ],
      lanes: [laneTo(1), laneTo(2, 45_001, 51_821)],
    });
    after.dropPort(OTHER);
    await clock.advance(0);
    expect((await inForce())?.lanes).toEqual([laneTo(1)]);
  });

  it("lose lanes of an agent before whose mesh is not there any more, but not before all meshes had time to come", async () => {
    const before = start();
    await before.setPort(ONE, 51_820, 40_000);
    await before.setPort(OTHER, 51_821, 40_001);
    await before.addLane(laneTo(1));
    await before.addLane(laneTo(2, 45_001, 51_821));
    before.stop();
    const after = start();
    await after.setPort(ONE, 51_820, 40_007);
    await clock.advance(59_000);
    expect((await inForce())?.lanes).toHaveLength(2);
    await clock.advance(1_000);
    expect((await inForce())?.lanes).toEqual([laneTo(1)]);
  });

  it("come back when somebody flushes them", async () => {
    const book = start();
    await book.setPort(ONE, 51_820, 40_000);
    const before = await inForce();
    kernel.tables.clear();
    await clock.advance(60_000);
    expect(await inForce()).toEqual(before);
  });

  it("are not written again while they are in force", async () => {
    const book = start();
    await book.setPort(ONE, 51_820, 40_000);
    const changes = kernel.changes.length;
    await clock.advance(600_000);
    expect(kernel.changes.length).toBe(changes);
  });

  it("are left alone after the end, whatever was asked for just before", async () => {
    const book = start();
    await book.setPort(ONE, 51_820, 40_000);
    const before = await inForce();
    book.stop();
    await book.addLane(laneTo(1));
    await clock.advance(600_000);
    expect([await inForce(), clock.pending()]).toEqual([before, 0]);
  });
});

describe("where nft is missing or refuses", () => {
  it("says what to install, tells it once, and tries again by itself", async () => {
    lever.isMissing = true;
    const book = start();
    await book.setPort(ONE, 51_820, 40_000);
    await clock.advance(120_000);
    expect(problems).toEqual([expect.stringMatching(/nft is missing: install nftables.*the relay/)]);
    expect(book.failure()).toMatchObject({ step: "packet_rules.set", code: "checks_unavailable" });
    lever.isMissing = false;
    await clock.advance(60_000);
    expect([problems.at(-1), book.failure(), (await inForce())?.ports.length]).toEqual([null, null, 1]);
  });

  it("has the reason that nft gave, and since when", async () => {
    kernel.fail = (argv) => (argv[0] === "nft" ? "Error: Could not process rule: Operation not permitted" : null);
    const book = start();
    const since = new Date(clock.now()).toISOString();
    await book.setPort(ONE, 51_820, 40_000);
    await clock.advance(180_000);
    expect(book.failure()).toMatchObject({ since, message: expect.stringContaining("Operation not permitted") });
  });

  it("keeps the lanes of the agent before until it can read them", async () => {
    const before = start();
    await before.setPort(ONE, 51_820, 40_000);
    await before.addLane(laneTo(1));
    before.stop();
    kernel.fail = (argv) => (argv[1] === "-j" ? "Error: Resource busy" : null);
    const after = start();
    await after.setPort(ONE, 51_820, 40_007);
    await after.addLane(laneTo(2));
    kernel.fail = () => null;
    await clock.advance(60_000);
    expect((await inForce())?.lanes).toEqual([laneTo(1), laneTo(2)]);
  });
});
