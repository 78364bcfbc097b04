// The dashboard in a real browser, in front of a control plane with meshes and machines that say what they were told to.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { examinePage, openBrowser, watchPage } from "../browser/open-browser.ts";
import { type SeenControlPlane, startSeenControlPlane } from "../browser/seen-control-plane.ts";
import { type SeenNetwork, seedNetwork } from "../browser/seen-network.ts";

const SCREENS = path.resolve(import.meta.dirname, "../results/screens");
/** What is not of colours is the same in both themes, and looked at in one. */
const WINDOWS = [
  { theme: "light", width: 1280, onlyColours: false },
  { theme: "dark", width: 1280, onlyColours: true },
  { theme: "dark", width: 390, onlyColours: false },
  { theme: "light", width: 390, onlyColours: true },
] as const;

/** Two dozen pages in four windows; a busy machine takes two seconds for each. */
const TOUR_LIMIT_MS = 480_000;

/** A second, and what a busy machine takes: two browsers and a lab on two cores. It would be a minute by asking. */
const LIVE_WITHIN_MS = 30_000;

let controlPlane: SeenControlPlane;
let browser: Browser;
let network: SeenNetwork;

beforeAll(async () => {
  mkdirSync(SCREENS, { recursive: true });
  [controlPlane, browser] = await Promise.all([startSeenControlPlane(), openBrowser()]);
  network = await seedNetwork(controlPlane);
});
afterAll(async () => {
  await browser?.close();
  network?.stop();
  await controlPlane?.stop();
});

const FOCUS_SCRIPT = `(() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const name = element.ariaLabel ?? (element.textContent || element.id || element.tagName);
  return { name, isSeen: (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none" };
})()`;

const TRANSITIONS_SCRIPT = `document.getAnimations().filter((moving) => moving instanceof CSSTransition).length`;

const makeLink = async (role: string) =>
  String((await controlPlane.call("POST", "/login-links", { name: `${role} of the tests`, role })).url);

async function signIn(page: Page, role = "owner"): Promise<void> {
  await page.goto(await makeLink(role));
  await page.getByRole("heading", { name: "Machines", exact: true }).waitFor();
}

it("asks whoever opens one of its addresses to sign in, and goes there afterwards", async () => {
  const page = await browser.newPage();
  await page.goto(`${controlPlane.url}/meshes?q=off`);
  await page.getByRole("heading", { name: "Sign in to Becket" }).waitFor();
  await page.getByText("With an API token").click();
  await page.getByLabel("API token").fill(controlPlane.ownerToken);
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: "Meshes" }).waitFor();
  expect(page.url()).toBe(`${controlPlane.url}/meshes?q=off`);
  await page.close();
});

it("takes a sign-in link once, leaves no token in the address, and offers a viewer no changes", async () => {
  const link = await makeLink("viewer");
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole("table", { name: "Machines" }).waitFor();
  expect(page.url()).not.toContain("bkl_");
  expect(await page.getByRole("button", { name: "Add machine" }).count()).toBe(0);
  expect((await context.cookies()).map(({ httpOnly }) => httpOnly)).toEqual([true]);
  await context.close();

  const again = await browser.newPage();
  await again.goto(link);
  expect(await again.getByRole("alert").innerText()).toContain("sign-in link");
  await again.close();
});

it("makes a mesh with the keyboard alone, and deletes it when its name is typed", async () => {
  const page = await browser.newPage();
  await signIn(page);
  await page.goto(`${controlPlane.url}/meshes`);
  await page.getByRole("button", { name: "Create mesh" }).press("Enter");
  await page.getByLabel("Name").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("button:focus", { hasText: "Create mesh" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByLabel("Name").fill("branch");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "branch" }).waitFor();
  await page.getByRole("link", { name: "Settings" }).press("Enter");
  await page.getByRole("button", { name: "Delete mesh" }).press("Enter");
  const confirm = page.getByRole("dialog").getByRole("button", { name: "Delete mesh" });
  expect(await confirm.isDisabled()).toBe(true);
  await page.getByRole("textbox", { name: "to confirm" }).fill("branch");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${controlPlane.url}/meshes`);
  await page.close();
});

it("is gone through with the keyboard alone: to the content, into a row, and from machine to machine on the map", async () => {
  const page = await browser.newPage();
  await signIn(page);
  await page.goto(`${controlPlane.url}/machines/${network.machineId}/peers`);
  await page.getByRole("table", { name: "Peers" }).waitFor();
  const unseen: string[] = [];
  /** Where the keyboard is; what shows no mark of it is noted. */
  const step = async (key: string): Promise<string> => {
    await page.keyboard.press(key);
    const { name, isSeen } = (await page.evaluate(FOCUS_SCRIPT)) as { name: string; isSeen: boolean };
    if (!isSeen) unseen.push(name);
    return name;
  };
  const stepTo = async (wanted: RegExp): Promise<void> => {
    const passed: string[] = [];
    while (!wanted.test(passed.at(-1) ?? "") && passed.length < 60) passed.push(await step("Tab"));
    expect(passed.at(-1)).toMatch(wanted);
  };
  expect(await step("Tab")).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement.id")).toBe("main");
  await stepTo(/^alice/);
  await page.keyboard.press("Enter");
  await page.getByText("Why this path").waitFor();
  await page.keyboard.press("Space");
  await page.getByText("Why this path").waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement.ariaExpanded")).toBe("false");

  await page.goto(`${controlPlane.url}/meshes/${network.meshId}/map`);
  await page.getByRole("figure").waitFor();
  await stepTo(/^bob: relayed/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\bmachine=/);
  await page.getByRole("link", { name: /^gateway:/ }).waitFor();
  expect(unseen).toEqual([]);
  await page.close();
});

it("brings the open tab into sight on a phone, and nothing before it out of the keyboard's way", async () => {
  const page = await browser.newPage({ viewport: { width: 390, height: 860 } });
  await signIn(page);
  await page.goto(`${controlPlane.url}/machines/${network.machineId}/events`);
  const tab = page.getByRole("link", { name: "Events", exact: true });
  await tab.waitFor();
  const { x, width } = (await tab.boundingBox()) ?? { x: 390, width: 0 };
  expect(x).toBeGreaterThanOrEqual(0);
  expect(Math.floor(x + width)).toBeLessThanOrEqual(390);
  await page.keyboard.press("Tab");
  await page.locator(":focus", { hasText: "Skip to the content" }).waitFor();
  await page.close();
});

it("says which rule decides before it is saved, moves rules by keyboard, and keeps a set that is used", async () => {
  const page = await browser.newPage();
  await signIn(page);
  await page.goto(`${controlPlane.url}/policy-sets/${network.policySetId}`);
  await page.getByLabel("Prefix", { exact: true }).fill("192.168.7.0/24");
  await page.getByText("Rule 1 decides.").waitFor();
  await page.getByRole("button", { name: "Add rule" }).press("Enter");
  await page.getByRole("button", { name: "Move rule 2 up" }).press("Enter");
  expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Move rule 1 up");
  await page.getByRole("button", { name: "Save changes" }).press("Enter");
  await page.getByText("prefer-main-site is saved").waitFor();

  await page.goto(`${controlPlane.url}/meshes/${network.meshId}/settings`);
  await page.getByLabel("Import").selectOption("prefer-main-site");
  await page.getByRole("button", { name: "Save policies" }).press("Enter");
  await page.getByText("Policies saved").waitFor();
  await page.goto(`${controlPlane.url}/policy-sets/${network.policySetId}`);
  await page.getByText("mesh, import").waitFor();
  await page.getByRole("button", { name: "Delete" }).press("Enter");
  await page.getByRole("dialog", { name: "prefer-main-site is in use" }).waitFor();
  await page.close();
});

it("invites a user by a link that works, and protects the last owner", async () => {
  const page = await browser.newPage();
  await signIn(page);
  await page.goto(`${controlPlane.url}/users`);
  await page.getByRole("button", { name: "Invite user" }).press("Enter");
  await page.getByLabel("Name").fill("Dora");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "The link for Dora" });
  const link = (await dialog.locator("pre").innerText()).trim();
  await dialog.getByRole("button", { name: "Done" }).press("Enter");
  await page.getByRole("button", { name: "Actions for owner of the tests" }).press("Enter");
  expect(await page.getByRole("menuitem", { name: "Remove" }).getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("menuitem", { name: "Make a sign-in link" }).press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("button:focus[aria-label='Actions for owner of the tests']").waitFor();
  await page.close();

  const context = await browser.newContext();
  const invited = await context.newPage();
  await invited.goto(link);
  await invited.getByRole("table", { name: "Machines" }).waitFor();
  await invited.goto(`${controlPlane.url}/sessions`);
  await invited.getByText("this one").waitFor();
  await context.close();
});

it("shows soon what somebody else changed, without being reloaded", async () => {
  const page = await browser.newPage();
  await signIn(page);
  await page.goto(`${controlPlane.url}/meshes/${network.meshId}/routes`);
  await page.getByText("Updates: Live").waitFor();
  await page.getByRole("table", { name: "Routes" }).waitFor();
  const route = { name: "lan", prefixes: ["192.168.9.0/24"], machineIds: [network.machineId] };
  const { id } = await controlPlane.call("POST", `/meshes/${network.meshId}/routes`, route);
  await page.getByText("192.168.9.0/24").first().waitFor({ timeout: LIVE_WITHIN_MS });
  // While it is told what changes, it asks for routes once in a minute.
  await controlPlane.call("PATCH", `/meshes/${network.meshId}/routes/${id}`, { name: "lan-of-the-office" });
  await page.getByText("lan-of-the-office").first().waitFor({ timeout: LIVE_WITHIN_MS });
  await page.close();
});

it("has no page that axe finds serious, in both themes and widths", { timeout: TOUR_LIMIT_MS }, async () => {
  const page = await browser.newPage({ reducedMotion: "reduce" });
  await signIn(page);
  const complaints = watchPage(page, controlPlane.url);
  const found: string[] = [];
  for (const [name, address] of Object.entries(toPages())) {
    await page.goto(controlPlane.url + address);
    await page.locator("h1").waitFor();
    await page.locator("[aria-label^=Loading]").waitFor({ state: "detached" });
    for (const { theme, width, onlyColours } of WINDOWS) {
      await page.setViewportSize({ width, height: 860 });
      await page.emulateMedia({ colorScheme: theme });
      const picture = `${name}-${theme}-${width}`;
      // Colours that are still on their way from one theme to the other have no contrast yet.
      if (await page.evaluate(TRANSITIONS_SCRIPT)) found.push(`${picture} moves for one who asked for less motion`);
      found.push(...(await examinePage(page, { onlyColours })).map((finding) => `${picture} ${finding}`));
      await page.screenshot({ path: path.join(SCREENS, `${picture}.png`) });
    }
  }
  await page.close();
  expect([...found, ...complaints]).toEqual([]);
});

const toPages = () => ({
  machines: "/machines",
  "add-machine": "/machines?add=machine",
  machine: `/machines/${network.machineId}`,
  "machine-peers": `/machines/${network.machineId}/peers`,
  "machine-silent": `/machines/${network.silentMachineId}/peers`,
  "machine-network": `/machines/${network.machineId}/network`,
  "machine-endpoints": `/machines/${network.machineId}/endpoints`,
  "machine-routing": `/machines/${network.machineId}/routing`,
  "machine-events": `/machines/${network.machineId}/events`,
  meshes: "/meshes",
  "create-mesh": "/meshes?create=mesh",
  mesh: `/meshes/${network.meshId}`,
  "mesh-map": `/meshes/${network.meshId}/map`,
  "mesh-routes": `/meshes/${network.meshId}/routes`,
  "mesh-vips": `/meshes/${network.meshId}/vips`,
  "mesh-events": `/meshes/${network.meshId}/events`,
  "mesh-settings": `/meshes/${network.meshId}/settings`,
  "policy-sets": "/policy-sets",
  "policy-set": `/policy-sets/${network.policySetId}`,
  rollouts: "/rollouts",
  "start-rollout": "/rollouts?start=rollout",
  "join-tokens": "/join-tokens",
  "api-tokens": "/api-tokens",
  users: "/users",
  sessions: "/sessions",
  audit: "/audit",
  nothing: "/nothing",
});
