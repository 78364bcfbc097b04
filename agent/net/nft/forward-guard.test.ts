// With real packets, as root. The member has given the gateway's key the addresses behind the gateway, which nobody keeps it from:
//
//   member 10.1.0.2 ──bkt-a── gateway ──eth0── host 192.168.7.2
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExec, isCommandError } from "../../system/exec.ts";
import { createFakeKernel } from "../../testing/fake-kernel.ts";
import { createMemoryFiles } from "../../testing/memory-files.ts";
import { connectNamespaces, type Namespace, openNamespace, whyNoNamespaces } from "../../testing/namespace.ts";
import { describeForwardGuard } from "./forward-guard.contract.ts";
import { createForwardGuard } from "./forward-guard.ts";

describeForwardGuard(
  "a guard on the fake kernel",
  async () => createFakeKernel({ files: createMemoryFiles() }),
  async () => undefined,
);

it("says that nft is missing, but has nothing to remove then", async () => {
  const exec = createExec({ PATH: "/nonexistent" });
  const guard = createForwardGuard({ run: ([, ...args], options) => exec.run(["no-such-nft", ...args], options) });

  await expect(guard.set("bkt-a", only("bkt-a"))).rejects.toSatisfy(isCommandError);
  expect(await guard.read()).toEqual({ meshes: new Map(), lan: [] });
  await guard.remove("bkt-a");
});

const only = (...to: string[]) => ({ to, networks: [] });

const lack = whyNoNamespaces();
describe.skipIf(lack !== null)(`with nft${lack === null ? "" : ` (left out: ${lack})`}`, { timeout: 30_000 }, () => {
  let namespaces: Namespace[] = [];
  describeForwardGuard(
    "a guard on the real kernel",
    async () => {
      const namespace = await openNamespace();
      namespaces.push(namespace);
      return namespace.exec;
    },
    async () => undefined,
  );

  describe("a gateway", () => {
    let [member, gateway, host]: Namespace[] = [];

    beforeAll(async () => {
      const made = await Promise.all([openNamespace(), openNamespace(), openNamespace()]);
      [member, gateway, host] = made;
      namespaces = [...namespaces, ...made];
      // A cable in the place of the tunnel: what WireGuard does to packets is not what this is about.
      await connectNamespaces(made[0], "10.1.0.2/16", made[1], "10.1.0.1/16");
      await run(gateway, "ip link set eth0 name bkt-a");
      await connectNamespaces(made[1], "192.168.7.1/24", made[2], "192.168.7.2/24");
      await run(member, "ip route add 192.168.7.0/24 via 10.1.0.1");
      await run(host, "ip route add 10.1.0.0/16 via 192.168.7.1");
      // The way back, which a gateway doesn't have: so that an answer shows what got through.
      await run(gateway, "sysctl -q -w net.ipv4.conf.eth0.forwarding=1 net.ipv4.conf.bkt-a.forwarding=1");
      await run(gateway, "sysctl -q -w net.ipv4.conf.bkt-a.rp_filter=0 net.ipv4.conf.bkt-a.send_redirects=0");
    });

    const isReached = () =>
      run(member, "ping -c 1 -W 1 192.168.7.2").then(
        () => true,
        () => false,
      );

    it("opens what is behind it when it forwards, unless it is guarded", async () => {
      if (gateway === undefined) throw new Error("no gateway");
      const guard = createForwardGuard(gateway.exec);
      expect(await isReached()).toBe(true);

      await guard.set("bkt-a", only("bkt-a"));
      expect(await isReached()).toBe(false);

      await guard.set("bkt-a", only("bkt-a", "eth0"));
      expect(await isReached()).toBe(true);

      await guard.set("bkt-a", only());
      expect(await isReached()).toBe(false);
    });
  });

  afterAll(async () => {
    await Promise.all(namespaces.map((namespace) => namespace.close()));
  });
});

async function run(namespace: Namespace | undefined, command: string): Promise<void> {
  const [program = "", ...args] = command.split(" ");
  await namespace?.exec.run([program, ...args]);
}
