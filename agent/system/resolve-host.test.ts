import { expect, it } from "vitest";
import { resolveHost } from "./resolve-host.ts";

it("takes addresses for themselves and finds what the hosts file says", async () => {
  expect(await resolveHost("127.0.0.1")).toEqual({ ipv4: ["127.0.0.1"], ipv6: [] });
  expect(await resolveHost("::1")).toEqual({ ipv4: [], ipv6: ["::1"] });
  expect((await resolveHost("localhost")).ipv4).toContain("127.0.0.1");
});

it("finds no address for what is no name", async () => {
  expect(await resolveHost("..")).toEqual({ ipv4: [], ipv6: [] });
});
