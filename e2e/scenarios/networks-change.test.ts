// alice behind an easy NAT; carol and dave public, with IPv6. What is under alice's and carol's feet changes while they talk.
import { expect, it } from "vitest";
import { measureOutages, NETWORK_CHANGES } from "../fleet/roaming.ts";

/** `npm run -s bench -- roaming` measures it, on cores that nobody else uses; here only a defect takes as long as this. */
const BACK_WITHIN_MS = 10_000;
const ROUNDS = 5;

it.each([
  ["after a NAT's reboot with other ports and another address", NETWORK_CHANGES.natRebootNewAddress],
  ["after a NAT's reboot with the same address", NETWORK_CHANGES.natReboot],
  ["after a machine's address has changed", NETWORK_CHANGES.machineAddress],
  ["when IPv6 goes, and when it comes", NETWORK_CHANGES.ipv6],
])("%s traffic is back", { timeout: 180_000 }, async (_, change) => {
  const outagesMs = await measureOutages(change, ROUNDS);
  expect(Math.max(...outagesMs), `outages: ${outagesMs.join(", ")} ms`).toBeLessThanOrEqual(BACK_WITHIN_MS);
});
