import { describe, expect, it } from "vitest";
import { CommandError, createExec, isCommandError } from "../system/exec.ts";
import { createFakeKernel } from "../testing/fake-kernel.ts";
import { createMemoryFiles } from "../testing/memory-files.ts";
import { type Namespace, openNamespace, whyNoNamespaces } from "../testing/namespace.ts";
import { describePacketFilter } from "./packet-filter.contract.ts";
import { createPacketFilter } from "./packet-filter.ts";

describePacketFilter(
  "a packet filter on the fake kernel",
  async () => createFakeKernel({ files: createMemoryFiles() }),
  async () => undefined,
);

const lack = whyNoNamespaces();
describe.skipIf(lack !== null)(`with nft${lack === null ? "" : ` (left out: ${lack})`}`, () => {
  let namespace: Namespace | undefined;
  describePacketFilter(
    "a packet filter on the real kernel",
    async () => {
      namespace = await openNamespace();
      return namespace.exec;
    },
    async () => namespace?.close(),
  );
});

describe("a packet filter", () => {
  it("says that nft is missing, but has nothing to remove then", async () => {
    const exec = createExec({ PATH: "/nonexistent" });
    const filter = createPacketFilter({ run: ([, ...args], options) => exec.run(["no-such-nft", ...args], options) });

    await expect(filter.set({ ports: [], lanes: [] })).rejects.toSatisfy(isCommandError);
    await expect(filter.read()).rejects.toSatisfy(isCommandError);
    await filter.remove();
  });

  it("says that it may not, keeps what was in force, and works again afterwards", async () => {
    const kernel = createFakeKernel({ files: createMemoryFiles() });
    const filter = createPacketFilter(kernel);
    const rules = { ports: [{ wireguardPort: 1, probePort: 2 }], lanes: [] };
    await filter.set(rules);
    kernel.fail = (argv) => (argv[0] === "nft" && argv[1] === "-f" ? "Operation not permitted" : null);

    await expect(filter.set({ ports: [], lanes: [] })).rejects.toThrow(CommandError);
    await expect(filter.remove()).rejects.toThrow(CommandError);
    kernel.fail = () => null;

    expect(await filter.read()).toEqual(rules);
    await filter.set({ ports: [], lanes: [] });
    expect(await filter.read()).toEqual({ ports: [], lanes: [] });
  });
});
