import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { DEFAULT_STUN_SERVERS } from "#schema/stun-servers";
import { createLogger } from "../log.ts";
import { readStunServers } from "./stun-servers.ts";

test.each([
  ["stun.example.org:3478, 192.0.2.1:3478", ["stun.example.org:3478", "192.0.2.1:3478"], 0],
  ["none", [], 0],
  ["stun.example.org", DEFAULT_STUN_SERVERS, 1],
])("the setting %j is taken as it is, or logged and replaced by the default ones", (text, servers, errorCount) => {
  const errors: unknown[] = [];
  const log = { ...createLogger("error"), error: (...fault: unknown[]) => void errors.push(fault) };
  expect(readStunServers({ ...env, BECKET_STUN_SERVERS: text }, log)).toEqual(servers);
  expect(errors).toHaveLength(errorCount);
});
