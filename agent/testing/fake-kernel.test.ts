import { createFakeClock } from "./fake-clock.ts";
import { createFakeKernel } from "./fake-kernel.ts";
import { createMemoryFiles } from "./memory-files.ts";
import { describeSystem } from "./system.contract.ts";

for (const [hasWireGuard, toolsVersion] of [
  [true, "1.0.20210914"],
  [true, "1.0.20250521"],
  [false, "1.0.20210914"],
] as const) {
  const name = `fake kernel ${hasWireGuard ? "with" : "without"} WireGuard, wireguard-tools ${toolsVersion}`;
  describeSystem(
    name,
    async () => openFake(hasWireGuard, toolsVersion),
    async () => undefined,
  );
}

function openFake(hasWireGuard: boolean, toolsVersion: string) {
  const files = createMemoryFiles();
  const kernel = createFakeKernel({ files, hasWireGuard, toolsVersion });
  const addForeignLink = async (name: string, address: string) => {
    kernel.addLink(name, { isUp: true, addresses: [address] });
  };
  return { exec: kernel, files, clock: createFakeClock(), folder: "/keys", addForeignLink };
}
