// alice runs Debian's Prometheus: it reads the control plane, her own agent, and bob's over the mesh.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { CreatedApiToken } from "#schema/api/api-tokens";
import { withFleet } from "../fleet/fleet.ts";
import { startPrometheus } from "../fleet/prometheus.ts";
import { createVip, untilMembers } from "../fleet/routing.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { run } from "../lab/system/exec.ts";

const DOCS = path.resolve(import.meta.dirname, "../../docs");
const machines = [{ name: "alice" }, { name: "bob" }];
const ALICES = "127.0.0.1:9586";

it("a Prometheus reads control plane and agents, and the dashboard has data for each of its panels", async () => {
  await withFleet({ machines }, async (fleet, mesh) => {
    const { api, controlPlane, lab } = fleet;
    const alice = lab.machine("alice");
    const { token } = await api.createJoinToken({});
    await fleet.agent("alice").up({ token, env: { BECKET_METRICS: "9586" } });
    await untilMembers(fleet, mesh.id, ["alice"]);
    // The address is there a while after the agent is.
    const bobs = "10.77.0.2:9586";
    await fleet.agent("bob").up({ token, env: { BECKET_METRICS: bobs } });
    const members = await untilMembers(fleet, mesh.id, ["alice", "bob"]);
    expect(members.map(({ ipv4 }) => ipv4)).toEqual(["10.77.0.1", "10.77.0.2"]);
    const machineIds = members.map(({ machineId }) => machineId);
    await createVip(fleet, mesh.id, { name: "shared", address: "10.77.200.1", machineIds });
    const viewer = CreatedApiToken.parse(await api.call("POST", "/api-tokens", { name: "prometheus", role: "viewer" }));
    const prometheus = await startPrometheus(lab, alice, [
      { name: "becket", targets: [new URL(controlPlane.urlFor(alice)).host], token: viewer.token },
      { name: "becket-agent", targets: [ALICES, bobs] },
    ]);
    await fleet.untilConnected(mesh.id);

    await eventually(async () => (await prometheus.query("up == 1")).length === 3, {
      withinMs: 30_000,
      describe: "all three are read",
    });
    const [info] = await prometheus.query('becket_agent_info{machine="alice"}');
    expect(info?.metric.instance).toBe(ALICES);
    const left = new Set(readQueries());
    expect(left.size).toBeGreaterThan(30);
    await eventually(
      async () => {
        for (const query of left) if ((await prometheus.query(query)).length > 0) left.delete(query);
        if (left.size > 0) throw new Error(`no data for ${[...left].join("\n")}`);
        return true;
      },
      { withinMs: 30_000, everyMs: 500, describe: "each panel has data" },
    );
    await eventually(
      async () => {
        const [direct] = await prometheus.query('becket_agent_peer_path{instance="127.0.0.1:9586",peer="bob"}');
        expect(direct?.metric.path).toBe("direct");
        const values = ["becket_mesh_members_online", "sum(becket_machine_up)", "becket_mesh_vips_unheld"];
        const results = await Promise.all(values.map((value) => prometheus.query(value)));
        expect(results.map(([series]) => series?.value[1])).toEqual(["2", "2", "0"]);
        return true;
      },
      { withinMs: 30_000, describe: "what is told is so" },
    );

    const headers = { authorization: `Bearer ${viewer.token}` };
    const ofControlPlane = await (await fetch(`${api.url}/metrics`, { headers })).text();
    const read = `fetch("http://${ALICES}/metrics").then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
    const { stdout: ofAgent } = await alice.exec([process.execPath, "-e", read]);
    for (const text of [ofControlPlane, ofAgent]) await run(["promtool", "check", "metrics"], { input: text });
    await run(["promtool", "check", "rules", path.join(DOCS, "prometheus/alerts.yml")]);
  });
}, 120_000);

function readQueries(): string[] {
  const { panels } = JSON.parse(readFileSync(path.join(DOCS, "grafana/becket.json"), "utf8")) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const values = { $mesh: ".*", $instance: ALICES, $__rate_interval: "10s" };
  return panels
    .flatMap(({ targets = [] }) => targets)
    .map(({ expr }) => Object.entries(values).reduce((query, [name, value]) => query.replaceAll(name, value), expr));
}
