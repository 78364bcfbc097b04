// The contract on the real system: in a namespace of its own, as root.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "vitest";
import { createClock } from "../system/clock.ts";
import { type Namespace, openNamespace, whyNoNamespaces } from "../testing/namespace.ts";
import { describeSystem, type SystemUnderTest } from "../testing/system.contract.ts";

const lack = whyNoNamespaces();
if (lack === null) {
  for (const way of ["by wg", "wireguard-go asked directly"] as const) {
    let namespace: Namespace | undefined;
    let folder: string | undefined;
    describeSystem(
      `real system, ${way}`,
      async () => {
        namespace = await openNamespace();
        folder = await mkdtemp(path.join(tmpdir(), "becket-"));
        const { askSocket } = namespace;
        return { ...openReal(namespace, folder), ...(way === "by wg" ? {} : { askSocket }) };
      },
      async () => {
        await namespace?.close();
        if (folder !== undefined) await rm(folder, { recursive: true });
      },
    );
  }
} else {
  describe("real system", () => {
    it.skip(`left out: ${lack}`);
  });
}

function openReal({ exec, files }: Namespace, folder: string): SystemUnderTest {
  return {
    exec,
    clock: createClock(),
    folder,
    files,
    async addForeignLink(name, address) {
      await exec.run(["ip", "link", "add", "dev", name, "type", "bridge"]);
      await exec.run(["ip", "address", "add", address, "dev", name]);
      await exec.run(["ip", "link", "set", "dev", name, "up"]);
    },
  };
}
