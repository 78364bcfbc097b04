import type { StunServer } from "#schema/nat";
import { DEFAULT_STUN_SERVERS, parseStunServers } from "#schema/stun-servers";
import type { Env } from "../env.ts";
import type { Logger } from "../log.ts";

/** As the operator set them. A setting that is wrong is logged, and the default ones stand in. */
export function readStunServers({ BECKET_STUN_SERVERS: text }: Env, log: Logger): readonly StunServer[] {
  const servers = parseStunServers(text);
  if (servers.ok) return servers.value;
  log.error("BECKET_STUN_SERVERS is not valid", { reason: servers.error });
  return DEFAULT_STUN_SERVERS;
}
