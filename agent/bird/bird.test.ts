// The contract on the fake, and on the real BIRD in a namespace of its own, as root.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createClock } from "../system/clock.ts";
import { createFiles } from "../system/files.ts";
import { askSocket, watchSocket } from "../system/unix-socket.ts";
import { birdConfig, birdMember, toMachineId } from "../testing/bird-fixture.ts";
import { killBird, whyNoBirdLab } from "../testing/bird-lab.ts";
import { createFakeBirds, type FakeBirds } from "../testing/fake-bird.ts";
import { type Namespace, openNamespace } from "../testing/namespace.ts";
import { describeBirds } from "./bird.contract.ts";
import { createBird } from "./bird.ts";
import { renderConfig } from "./render-config.ts";

const clock = createClock();
const makeFolder = () => mkdtemp(path.join(tmpdir(), "becket-bird-"));

let fake: FakeBirds;
let folder = "";
async function closeFake(): Promise<void> {
  await fake.close();
  await rm(folder, { recursive: true });
}
async function openFake() {
  folder = await makeFolder();
  fake = createFakeBirds(clock);
  const ports = { exec: fake.exec, files: createFiles(), clock, askSocket, watchSocket };
  return { ports, folder, kill: (name: string) => fake.kill(`${folder}/${name}.ctl`) };
}

describeBirds("fake BIRD", openFake, closeFake);

const lack = whyNoBirdLab();
if (lack === null) {
  let namespace: Namespace | undefined;
  describeBirds(
    "real BIRD",
    async () => {
      namespace = await openNamespace();
      const { exec } = namespace;
      await exec.run(["ip", "link", "add", "dev", "eth0", "type", "bridge"]);
      await exec.run(["ip", "link", "set", "dev", "eth0", "up"]);
      await exec.run(["ip", "address", "add", "10.77.0.1/16", "dev", "eth0"]);
      folder = await makeFolder();
      const ports = { exec, files: createFiles(), clock, askSocket, watchSocket };
      return { ports, folder, kill: (name: string) => killBird(exec, `${folder}/${name}`) };
    },
    async () => {
      await namespace?.close();
      await rm(folder, { recursive: true });
    },
  );
} else {
  describe("real BIRD", () => {
    it.skip(`left out: ${lack}`);
  });
}

describe("bird", () => {
  afterEach(closeFake);

  it("reads what its sessions brought", async () => {
    const { ports } = await openFake();
    const bird = createBird(ports, { folder, name: "bkt-prod", kernelMetric: 5_201 });
    await bird.apply(renderConfig(birdConfig(1, { members: [birdMember(2)] })));
    fake.establish(`${folder}/bkt-prod.ctl`, toMachineId(2), [
      { prefix: "192.168.50.0/24", nextHop: "10.77.0.2" },
      { prefix: "0.0.0.0/0", nextHop: "10.77.0.2", isFiltered: true },
    ]);
    const protocol = (await bird.readProtocols())?.at(-1);
    expect(protocol?.session?.state).toBe("Established");
    expect(protocol?.channels).toMatchObject([{ name: "ipv4", importedCount: 1, filteredCount: 1 }]);
    const routes = await bird.readRoutes();
    expect(routes?.map(({ prefix, isFiltered }) => [prefix, isFiltered])).toEqual([
      ["192.168.50.0/24", false],
      ["0.0.0.0/0", true],
    ]);
  });

  it("asks a BIRD that died to spare what its neighbours still know of it", async () => {
    const { ports, kill } = await openFake();
    const bird = createBird(ports, { folder, name: "bkt-prod", kernelMetric: 5_201 });
    await bird.apply(renderConfig(birdConfig(1)));
    await kill("bkt-prod");
    await bird.apply(renderConfig(birdConfig(1)));
    const starts = fake.runs.filter((run) => run.includes(" -s ")).map((run) => run.includes(" -R "));
    expect(starts).toEqual([false, true]);
  });
});
