import { createFakeClock } from "./fake-clock.ts";
import { createFakeKernel } from "./fake-kernel.ts";
import { createMemoryFiles } from "./memory-files.ts";
import { describeSystem } from "./system.contract.ts";

for (const hasWireGuard of [true, false]) {
  const name = `fake kernel ${hasWireGuard ? "with" : "without"} WireGuard`;
  describeSystem(
    name,
    async () => openFake(hasWireGuard),
    async () => undefined,
  );
}

function openFake(hasWireGuard: boolean) {
  const files = createMemoryFiles();
  const kernel = createFakeKernel({ files, hasWireGuard });
  const addForeignLink = async (name: string, address: string) => {
    kernel.addLink(name, { isUp: true, addresses: [address] });
  };
  return { exec: kernel, files, clock: createFakeClock(), folder: "/keys", addForeignLink };
}
