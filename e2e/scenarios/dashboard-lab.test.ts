// The demo's networks, and a browser beside the control plane: alice and bob behind easy NATs, carol public, dora in another mesh. Everything
// is done and seen in the dashboard; the lab's own hands only run what it shows, cut wires and kill programs.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { expect, it } from "vitest";
import { openBrowserAt, watchPage } from "../browser/open-browser.ts";
import { createFleet, type Fleet } from "../fleet/fleet.ts";
import { prepareInstaller } from "../fleet/prepare-installer.ts";
import { pingOnce } from "../fleet/reach.ts";
import { untilMembers } from "../fleet/routing.ts";
import { demoNetworks } from "../fleet/topologies.ts";
import type { LabNode } from "../lab/node.ts";
import { eventually } from "../lab/probes/eventually.ts";
import { startPing } from "../lab/probes/ping.ts";
import type { LabProcess } from "../lab/system/process.ts";

const RESULTS = path.resolve(import.meta.dirname, "../results");
const PROVIDER = { port: 9_000, id: "becket", secret: "known to this test" };
const VIP = "10.77.200.1";
const SERVICE_PORT = 7_000;
/** The installer's own programs first, whatever else is on this host. */
const RUN_ALONE = { PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
/** A busy machine takes its time; how long things took is in the results. */
const SEEN_WITHIN_MS = 60_000;

it("a fleet is made, watched and changed in the browser, and shows what happens to it and why", async () => {
  const env = {
    BECKET_OIDC_ISSUER: `http://127.0.0.1:${PROVIDER.port}`,
    BECKET_OIDC_CLIENT_ID: PROVIDER.id,
    BECKET_OIDC_CLIENT_SECRET: PROVIDER.secret,
    BECKET_OIDC_ALLOWED_DOMAINS: "example.org",
    BECKET_OIDC_NAME: "the lab's provider",
  };
  await using fleet = await createFleet({ topology: demoNetworks, env });
  const browser = await openBrowserAt(fleet.lab, fleet.lab.control);
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
  try {
    await tellStory(fleet, browser, page);
  } catch (error) {
    await createCamera(page)("failed").catch(() => undefined);
    const shown = await page.innerText("body").catch(() => "nothing");
    const told = [String(error), `${page.url()} shows:\n${shown}`, await fleet.lab.diagnostics()];
    throw new Error(told.join("\n"), { cause: error });
  } finally {
    await browser.close();
  }
}, 300_000);

async function tellStory(fleet: Fleet, browser: Browser, page: Page): Promise<void> {
  const { api, lab, controlPlane } = fleet;
  page.setDefaultTimeout(SEEN_WITHIN_MS);
  const look = createCamera(page);
  await signInAtProvider(fleet, page);
  const complaints = watchPage(page, controlPlane.url);
  await createMesh(page);
  const arrivalSeenMs = await addMachine(fleet, page);
  await look("machine-arrived");
  await page.getByRole("button", { name: "Done" }).click();

  // While nothing passes between their sites, alice and bob are relayed from the first packet.
  await lab.blackhole("alice", "bob");
  const { token } = await api.createJoinToken();
  await Promise.all(["bob", "carol"].map((name) => fleet.agent(name).up({ token })));
  const meshId = await findMesh(fleet);
  const [alice, bob, carol] = await untilMembers(fleet, meshId, ["alice", "bob", "carol"]);
  if (!alice || !bob || !carol) throw new Error("all are members");
  const pings = await startPing(lab.machine("alice"), bob.ipv4, { intervalMs: 100 });

  await page.getByRole("link", { name: "alice", exact: true }).click();
  await page.getByRole("link", { name: "Peers" }).click();
  const bobsRow = page.getByRole("row").filter({ has: page.getByRole("button", { name: "bob", exact: true }) });
  await bobsRow.getByText("relayed").waitFor();
  await page.getByRole("button", { name: "bob", exact: true }).click();
  const why = page.getByRole("heading", { name: "Why this path" }).locator("xpath=following-sibling::p[1]");
  await why.waitFor();
  const reasonRelayed = await why.innerText();
  await look("peers-relayed");
  await lab.heal("alice", "bob");
  await bobsRow.getByText("direct").waitFor();
  await expectText(why, (text) => text !== reasonRelayed);
  await look("peers-direct");

  await lab.blackhole("alice", "bob");
  // First the row and the reason say that the path is in doubt, then that it was left.
  const [doubtSeenMs, cutSeenMs] = await Promise.all([
    time(async () => {
      await bobsRow
        .getByText(/no answer|relayed/)
        .first()
        .waitFor();
      await expectText(why, (text) => /in doubt|relayed/.test(text));
    }),
    time(async () => {
      await bobsRow.getByText("relayed").waitFor();
      await expectText(why, (text) => text.startsWith("relayed"));
    }),
  ]);
  await look("path-cut");
  await lab.heal("alice", "bob");
  expect((await pings.stop()).received).toBeGreaterThan(0);

  const services = new Map<string, LabProcess>();
  for (const name of ["bob", "carol"]) services.set(name, await startService(lab.machine(name)));
  await createVip(page);
  await look("vip");
  const machines = page.getByRole("list", { name: "Machines of database" });
  const itemOf = (name: string) => machines.getByRole("listitem").filter({ hasText: name });
  // The first that is healthy holds it until the one that BGP prefers is healthy, too.
  for (const name of ["bob", "carol"]) await itemOf(name).getByText("healthy").waitFor();
  const isBobs = await itemOf("bob").getByText("traffic goes here").isVisible();
  const [holder, other] = isBobs ? ["bob", "carol"] : ["carol", "bob"];
  await itemOf(holder).getByText("traffic goes here").waitFor();
  await look("vip-held");
  await openTab(page, "Machines", "alice", "Routing");
  const used = (prefix: string) =>
    page
      .getByRole("row")
      .filter({ hasText: prefix })
      .filter({ has: page.getByText("used", { exact: true }) });
  await used(`${VIP}/32`).getByRole("link", { name: holder }).waitFor();
  const vipMovedMs = await time(async () => {
    await services.get(holder)?.kill("SIGKILL");
    await used(`${VIP}/32`).getByRole("link", { name: other }).waitFor();
  });
  await look("vip-moved");
  await openTab(page, "Meshes", "office", "VIPs");
  await itemOf(other).getByText("traffic goes here").waitFor();
  await itemOf(holder).getByText("failing").waitFor();
  await look("vip-failing");
  await openTab(page, "Machines", holder, "Routing");
  await page.getByText("unhealthy", { exact: true }).waitFor();
  await look("vip-unhealthy");

  const shop = await api.createMesh({ name: "shop", cidr: "10.78.0.0/16" });
  const forShop = await api.createJoinToken({ meshIds: [shop.id] });
  await fleet.agent("dora").up({ token: forShop.token });
  const [dora] = await untilMembers(fleet, shop.id, ["dora"]);
  await api.addMember(shop.id, carol.machineId);
  await openTab(page, "Machines", "carol", "Overview");
  await page.getByRole("switch", { name: "This machine is a gateway" }).click();
  await page.getByRole("switch", { name: "This machine is a gateway", checked: true }).waitFor();
  await openTab(page, "Machines", "alice", "Routing");
  await used("10.78.0.0/16").getByRole("link", { name: "carol" }).waitFor();
  await look("gateway");
  await untilPings(lab.machine("alice"), dora?.ipv4 ?? "");

  await refuseViewer(fleet, browser, carol.machineId);
  expect(complaints).toEqual([]);
  const results = { arrivalSeenMs, doubtSeenMs, cutSeenMs, vipMovedMs };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, "dashboard-lab.json"), `${JSON.stringify(results)}\n`);
}

/** A real OpenID provider beside the control plane: the first whom it lets in is the owner. */
async function signInAtProvider({ lab, controlPlane }: Fleet, page: Page): Promise<void> {
  const { port, id, secret } = PROVIDER;
  const callback = `${controlPlane.url}/api/sign-in/oidc/callback`;
  const program = path.resolve(import.meta.dirname, "../../embedded/testing/openid-provider-main.ts");
  await lab.control.spawn([process.execPath, program, String(port), id, secret, callback]);
  const isOpen = async () =>
    (await lab.control.exec(["bash", "-c", `: < /dev/tcp/127.0.0.1/${port}`], { allowFailure: true })).exitCode === 0;
  await eventually(isOpen, { withinMs: 30_000, describe: "the OpenID provider listens" });
  await page.goto(`${controlPlane.url}/meshes`);
  await page.getByRole("link", { name: "Continue with the lab's provider" }).click();
  await page.getByRole("button", { name: "Create mesh" }).first().waitFor();
}

async function createMesh(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Create mesh" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("office");
  await dialog.getByLabel("Network").fill("10.77.0.0/16");
  await dialog.getByRole("button", { name: "Create mesh" }).click();
  await page.getByRole("heading", { name: "office" }).waitFor();
}

/** Runs the line that the dialog shows, as a person would; how long from its start until the dialog says that the machine came. */
async function addMachine(fleet: Fleet, page: Page): Promise<number> {
  await openList(page, "Machines");
  await page.getByRole("button", { name: "Add machine" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Create token" }).click();
  const command = await dialog.getByText("BECKET_TOKEN=").innerText();
  const alice = fleet.lab.machine("alice");
  await prepareInstaller(alice);
  return time(async () => {
    const { stdout } = await alice.exec(["sh", "-c", command], { timeoutMs: 120_000, env: RUN_ALONE });
    expect(stdout).toContain("Done. The agent is a service");
    const arrivals = dialog.getByRole("status");
    await arrivals.getByRole("link", { name: "alice" }).waitFor();
    await arrivals.getByText("in office").waitFor();
  });
}

async function createVip(page: Page): Promise<void> {
  await openList(page, "Meshes");
  await page.getByRole("link", { name: "office", exact: true }).first().click();
  await page.getByRole("link", { name: "VIPs" }).click();
  await page.getByRole("button", { name: "Create VIP" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("database");
  await dialog.getByLabel("Address").fill(VIP);
  for (const name of ["bob", "carol"]) await dialog.getByRole("checkbox", { name }).check();
  await dialog.getByLabel("Health check").selectOption("tcp");
  await dialog.getByLabel("Target").fill(`:${SERVICE_PORT}`);
  await dialog.getByText("Timing").click();
  for (const label of ["Every, seconds", "Timeout, seconds", "Healthy after", "Unhealthy after"])
    await dialog.getByLabel(label, { exact: true }).fill("1");
  await dialog.getByRole("button", { name: "Create VIP" }).click();
  await page.getByRole("table", { name: "VIPs" }).getByText(VIP).waitFor();
}

/** A viewer sees it all, gets no switch that works, and is refused by the control plane when a page tries all the same. */
async function refuseViewer({ api, controlPlane }: Fleet, browser: Browser, machineId: string): Promise<void> {
  const link = (await api.call("POST", "/login-links", { name: "visitor", role: "viewer" })) as { url: string };
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(SEEN_WITHIN_MS);
  await page.goto(`${controlPlane.url}/sign-in${new URL(link.url).hash}`);
  await page.getByRole("table", { name: "Machines" }).waitFor();
  expect(await page.getByRole("button", { name: "Add machine" }).count()).toBe(0);
  await openTab(page, "Machines", "carol", "Overview");
  expect(await page.getByRole("switch", { name: "This machine is a gateway" }).isDisabled()).toBe(true);
  const refusal = await page.evaluate(`fetch("/api/v1/machines/${machineId}", {
    method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ gateway: false }),
  }).then(async (answer) => [answer.status, (await answer.json()).code])`);
  expect(refusal).toEqual([403, "forbidden"]);
  const { gateway } = (await api.call("GET", `/machines/${machineId}`)) as { gateway: boolean };
  expect(gateway).toBe(true);
  await context.close();
}

/** The page before it stands until the list does, and may have a button of the same name. */
async function openList(page: Page, name: "Machines" | "Meshes"): Promise<void> {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}

async function openTab(page: Page, list: "Machines" | "Meshes", name: string, tab: string): Promise<void> {
  await openList(page, list);
  await page.getByRole("link", { name, exact: true }).first().click();
  await page.getByRole("link", { name: tab }).click();
}

async function findMesh({ api }: Fleet): Promise<string> {
  const { items } = (await api.call("GET", "/meshes")) as { items: { id: string; name: string }[] };
  return items.find(({ name }) => name === "office")?.id ?? "";
}

const startService = (machine: LabNode): Promise<LabProcess> =>
  machine.spawn([
    process.execPath,
    "-e",
    `require("node:net").createServer((socket) => socket.on("error", () => {}).end()).listen(${SERVICE_PORT})`,
  ]);

const untilPings = (from: LabNode, address: string) =>
  eventually(() => pingOnce(from, address, { timeoutMs: 1_000 }), {
    withinMs: SEEN_WITHIN_MS,
    describe: `${from.name} reaches ${address}`,
  });

const expectText = (locator: Locator, isWanted: (text: string) => boolean) =>
  eventually(async () => isWanted(await locator.innerText()), {
    withinMs: SEEN_WITHIN_MS,
    everyMs: 50,
    describe: "the page says why",
  });

async function time(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return Math.round(performance.now() - startedAt);
}

function createCamera(page: Page): (name: string) => Promise<unknown> {
  const folder = path.join(RESULTS, "screens");
  mkdirSync(folder, { recursive: true });
  return (name) => page.screenshot({ path: path.join(folder, `lab-${name}.png`) });
}
