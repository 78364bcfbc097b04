// alice, bob on one LAN behind a NAT, carol public; the control plane on one box, with TLS by Caddy, then by nginx, of an authority of the lab's own.
import { expect, it } from "vitest";
import { AGENT_BUNDLE, createAgent } from "../fleet/agent.ts";
import { createFleet, type Fleet } from "../fleet/fleet.ts";
import { issueCertificate } from "../fleet/lab-authority.ts";
import { readStatus } from "../fleet/local-api.ts";
import { startTlsProxy, TLS_PROXIES, type TlsProxy } from "../fleet/tls-proxy.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

const TOPOLOGY = {
  lans: [{ name: "home", nat: "easy" as const }],
  machines: [{ name: "alice", lan: "home" }, { name: "bob", lan: "home" }, { name: "carol" }],
};
const NAME = "control";
const ORIGIN = `https://${NAME}`;
const UPSTREAM_PORT = 8080;
const LIMIT_MS = 300_000;
const SETTLED_MS = 60_000;

it("machines join, stay and are told apart behind Caddy and behind nginx", { timeout: LIMIT_MS }, async () => {
  await using fleet = await createFleet({
    topology: TOPOLOGY,
    controlPlaneArgs: ["--origin", ORIGIN, "--trusted-proxies", "127.0.0.1,::1"],
  });
  try {
    const { lab, api } = fleet;
    const mesh = await api.createMesh({ name: "office", cidr: "10.77.0.0/16", isDefault: true });
    // The lab's stand-in for port 443.
    await lab.control.exec(["nft", "delete", "table", "inet", "lab"]);
    const certificate = await issueCertificate(lab, NAME);
    const agents = lab.machines.map((machine) => createAgent(machine, ORIGIN));
    const trust = { BECKET_CA_FILE: certificate.authorityFile };

    for (const kind of TLS_PROXIES) {
      const proxy = await startTlsProxy(kind, lab, { name: NAME, upstreamPort: UPSTREAM_PORT, certificate });
      if (kind === TLS_PROXIES[0]) {
        await expectDistrust(lab.machine("alice"));
        const { token } = await api.createJoinToken();
        await Promise.all(agents.map((agent) => agent.up({ token, env: trust })));
        await fleet.untilConnected(mesh.id);
      }
      await untilOnSockets(fleet);
      await expectInstaller(lab.machine("carol"), certificate.authorityFile);
      await expectClientsToldApart(fleet, certificate.authorityFile);
      await expectReloadWithoutLoss(fleet, mesh.id, proxy);
      await proxy.stop();
    }
  } catch (error) {
    throw new Error(`${String(error)}\n${await fleet.lab.diagnostics()}`, { cause: error });
  }
});

/** Without the authority's file, and with a reason that says what to do. */
async function expectDistrust(machine: LabNode): Promise<void> {
  const env = { BECKET_URL: ORIGIN, BECKET_API_TOKEN: "bkt_wrong" };
  const listing = machine.exec([process.execPath, AGENT_BUNDLE, "mesh", "list"], { env });
  await expect(listing).rejects.toThrow(/does not trust; BECKET_CA_FILE names a file/);
}

async function untilOnSockets({ lab }: Fleet): Promise<void> {
  const look = async () => {
    for (const machine of lab.machines) {
      const { controlPlane, meshes } = await readStatus(machine);
      const links = [controlPlane.link, ...meshes.map(({ link }) => link)];
      const isOpen =
        links.length === 2 && links.every(({ state, transport }) => state === "connected" && transport === "websocket");
      if (!isOpen) throw new Error(`${machine.name}: ${JSON.stringify(links)}`);
    }
    return true;
  };
  await eventually(look, { withinMs: SETTLED_MS, describe: "every machine has its WebSockets" });
}

/** curl with the authority's file gets the script, with the public origin in it. */
async function expectInstaller(machine: LabNode, authorityFile: string): Promise<void> {
  const { stdout } = await machine.exec(["curl", "-fsS", "--cacert", authorityFile, `${ORIGIN}/install.sh`]);
  expect(stdout).toContain(`ORIGIN='${ORIGIN}'`);
}

/**
 * Who fails too often is stopped, by the address that the proxy heard, whatever it writes itself; others who come by the same proxy are not. Neither
 * are they by somebody who talks past the proxy and says to be them.
 */
async function expectClientsToldApart({ lab }: Fleet, authorityFile: string): Promise<void> {
  const [alice, carol] = [lab.machine("alice"), lab.machine("carol")];
  const past = `http://${NAME}:${UPSTREAM_PORT}`;
  expect(await failUntilStopped(alice, ORIGIN, authorityFile)).toBe(429);
  expect(await fail(carol, ORIGIN, authorityFile)).toBe(401);
  expect(await failUntilStopped(alice, past, authorityFile, carol.ipv4 ?? "")).toBe(429);
  expect(await fail(carol, ORIGIN, authorityFile)).toBe(401);
}

/** Each time with another address in X-Forwarded-For, or with that one. */
const FAIL = `
const [origin, most, address] = process.argv.slice(1);
let last = 0;
for (let n = 0; n < Number(most) && last !== 429; n += 25) {
  const ask = (_, i) => fetch(origin + "/api/v1/meshes", {
    headers: { authorization: "Bearer bkt_wrong", "x-forwarded-for": address || "203.0.113." + ((n + i) % 250) },
  }).then((response) => response.arrayBuffer().then(() => response.status));
  const statuses = await Promise.all(Array.from({ length: Math.min(25, Number(most)) }, ask));
  last = Math.max(...statuses);
}
console.log(last);
`;

async function run(machine: LabNode, authorityFile: string, ...args: string[]): Promise<number> {
  const argv = [process.execPath, "--input-type=module", "-e", FAIL, ...args];
  return Number((await machine.exec(argv, { env: { NODE_EXTRA_CA_CERTS: authorityFile }, timeoutMs: 60_000 })).stdout);
}
const fail = (machine: LabNode, origin: string, authorityFile: string) => run(machine, authorityFile, origin, "1", "");
const failUntilStopped = (machine: LabNode, origin: string, authorityFile: string, address = "") =>
  run(machine, authorityFile, origin, "5000", address);

/** And everybody hears of a change made after it. */
async function expectReloadWithoutLoss(fleet: Fleet, meshId: string, proxy: TlsProxy): Promise<void> {
  const { lab, api } = fleet;
  const addresses = await fleet.addresses(meshId);
  const pings = await Promise.all(
    ["bob", "carol"].map((name) =>
      startPing(lab.machine("alice"), addresses.get(name)?.ipv4 ?? "", { intervalMs: 20 }),
    ),
  );
  await proxy.reload();
  await untilOnSockets(fleet);
  const before = await readRevisions(fleet);
  const vip = { name: "service", address: "10.77.200.1", machineIds: [addresses.get("carol")?.machineId] };
  const created = (await api.call("POST", `/meshes/${meshId}/vips`, vip)) as { id: string };
  const look = async () => (await readRevisions(fleet)).every((revision, index) => revision > (before[index] ?? 0));
  await eventually(look, {
    withinMs: SETTLED_MS,
    describe: "every machine has applied a change made after the reload",
  });
  await api.call("DELETE", `/meshes/${meshId}/vips/${created.id}`);
  for (const running of pings) {
    const counted = await running.stop();
    expect(counted).toMatchObject({ lost: 0 });
    expect(counted.received).toBeGreaterThan(10);
  }
}

const readRevisions = ({ lab }: Fleet): Promise<number[]> =>
  Promise.all(lab.machines.map(async (machine) => (await readStatus(machine)).meshes[0]?.appliedRevision ?? 0));
