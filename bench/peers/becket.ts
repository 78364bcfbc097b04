// Becket in the comparison: alice enrols with a join token each time. The control plane is a machine of its own.
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { Fleet } from "../../e2e/fleet/fleet.ts";
import type { MeshSystem } from "./system.ts";

export async function startBecket(fleet: Fleet): Promise<MeshSystem> {
  const mesh = await fleet.api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });
  const { token } = await fleet.api.createJoinToken();
  await Promise.all(["carol", "dave"].map((name) => fleet.agent(name).up({ token })));
  await fleet.untilConnected(mesh.id, { members: 2 });
  const alice = fleet.agent("alice");
  const { version } = (await fleet.agent("dave").read("version")) as { version: string };
  return {
    name: "becket",
    version,
    knows: "the control plane's address and a join token",
    processes: [/becket\.mjs up/, /wireguard-go bkt-/],
    async join() {
      await alice.up({ token });
    },
    async leave() {
      await alice.becket("down");
      const machine = (await fleet.api.listMachines()).find(({ name }) => name === "alice");
      if (machine !== undefined) await fleet.api.call("DELETE", `/machines/${machine.id}`);
      await alice.stop();
      const { varLib } = alice.machine.files;
      for (const name of readdirSync(varLib)) rmSync(path.join(varLib, name), { recursive: true });
    },
    async addressOf(machine) {
      const ipv4 = (await fleet.addresses(mesh.id)).get(machine)?.ipv4;
      if (ipv4 === undefined) throw new Error(`${machine} is no member`);
      return ipv4;
    },
  };
}
