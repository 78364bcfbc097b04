// What the operator of this machine says about paths: endpoints that others reach it at, STUN servers of its own. Pure.
import { Endpoint } from "#schema/address";
import { MAX_ENDPOINTS_PER_MEMBER, MAX_STUN_SERVERS } from "#schema/limits";
import { StunServer } from "#schema/nat";
import type { PathSettings } from "../control/path-parts.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

/** More would leave no room for what is found out. */
const MAX_STATIC = MAX_ENDPOINTS_PER_MEMBER / 2;

/** Comma separated, as in BECKET_ENDPOINTS and BECKET_STUN_SERVERS. Throws a CommandFailure that names what is wrong. */
export function parsePathSettings(env: Readonly<Record<string, string | undefined>>): PathSettings {
  const endpoints = splitList(env.BECKET_ENDPOINTS);
  const servers = splitList(env.BECKET_STUN_SERVERS);
  if (endpoints.length > MAX_STATIC) throw refuse(`BECKET_ENDPOINTS may name ${MAX_STATIC} endpoints at most`);
  if (servers.length > MAX_STUN_SERVERS)
    throw refuse(`BECKET_STUN_SERVERS may name ${MAX_STUN_SERVERS} servers at most`);
  const isNone = servers.length === 1 && servers[0] === "none";
  return {
    staticEndpoints: endpoints.map((text) => parse(Endpoint, text, "BECKET_ENDPOINTS")),
    stunServers:
      servers.length === 0 ? null : isNone ? [] : servers.map((text) => parse(StunServer, text, "BECKET_STUN_SERVERS")),
  };
}

const splitList = (text: string | undefined): string[] => (text ?? "").split(/[\s,]+/).filter((part) => part !== "");

function parse<T>(
  schema: {
    safeParse(text: string): { success: true; data: T } | { success: false; error: { issues: { message: string }[] } };
  },
  text: string,
  name: string,
): T {
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw refuse(`${name}: "${text}" ${parsed.error.issues[0]?.message}`);
}

const refuse = (message: string): CommandFailure => new CommandFailure(EXIT_CODES.usage, message);
