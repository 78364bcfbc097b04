// alice and bob behind easy NATs of their own. What the control plane's API tells of how they talk, live and afterwards.
import { expect, it } from "vitest";
import { withFleet } from "../fleet/fleet.ts";
import { untilPath } from "../fleet/paths.ts";
import { twoHomes } from "../fleet/topologies.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";

interface Peers {
  readonly items: readonly Record<string, unknown>[];
}

it("the API shows a machine's peers with rates and reasons, its endpoints, its NAT, and how its links changed", async () => {
  await withFleet(twoHomes, async (fleet, mesh) => {
    await fleet.enrolAll();
    await fleet.untilConnected(mesh.id);
    await untilPath(fleet, ["alice", "bob"], "direct");
    const addresses = await fleet.addresses(mesh.id);
    const [alice, bob] = [addresses.get("alice"), addresses.get("bob")];
    const pings = await startPing(fleet.lab.machine("alice"), bob?.ipv4 ?? "", { intervalMs: 20 });

    const read = async (path: string) => (await fleet.api.call("GET", `/machines/${alice?.machineId}${path}`)) as Peers;
    const peer = await eventually(
      async () => {
        const [seen] = (await read("/peers")).items;
        if (Number(seen?.rxBytesPerSecond) < 1_000 || seen?.latencyMs === null) throw new Error(JSON.stringify(seen));
        return seen;
      },
      { withinMs: 30_000, describe: "traffic and latency are seen" },
    );
    await pings.stop();
    expect(peer).toMatchObject({ machineId: bob?.machineId, name: "bob", status: "up", path: "direct", lossRatio: 0 });
    expect(peer?.handshakeAgeSeconds).toBeLessThan(180);

    const [explained] = (await read(`/peers/${bob?.machineId}`)).items;
    expect(explained).toMatchObject({ reason: { code: "direct" }, localNat: { mapping: "endpoint-independent" } });
    expect(JSON.stringify(explained?.candidates)).toContain('"outcome":"answered"');

    const endpoints = (await read("/endpoints")).items;
    expect(endpoints.map(({ type }) => type)).toEqual(expect.arrayContaining(["host", "stun"]));
    expect((await fleet.api.call("GET", `/machines/${alice?.machineId}/network`)) as object).toMatchObject({
      report: { mapping: "endpoint-independent", udp: { ipv4: true } },
    });
    const events = (await read("/events")).items;
    expect(events.at(-1)).toMatchObject({ peerId: bob?.machineId, kind: "up" });
  });
}, 120_000);
