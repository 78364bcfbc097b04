// Which STUN servers machines are told to ask, as an operator writes it.
import { MAX_STUN_SERVERS } from "./limits.ts";
import { StunServer } from "./nat.ts";
import { err, ok, type Result } from "./result.ts";

/** Public ones of different operators. */
export const DEFAULT_STUN_SERVERS: readonly StunServer[] = [
  "stun.cloudflare.com:3478",
  "stun.l.google.com:19302",
  "stun1.l.google.com:19302",
  "stun.nextcloud.com:3478",
];

/** Comma separated; `none`: no server; nothing: the default ones. The error is a sentence that names what is wrong. */
export function parseStunServers(text: string | undefined): Result<readonly StunServer[], string> {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "") return ok(DEFAULT_STUN_SERVERS);
  if (trimmed === "none") return ok([]);
  const servers = trimmed.split(",").map((server) => server.trim());
  const wrong = servers.find((server) => !StunServer.safeParse(server).success);
  if (wrong !== undefined) return err(`${JSON.stringify(wrong)} is no STUN server: write host:port`);
  if (servers.length > MAX_STUN_SERVERS) return err(`at most ${MAX_STUN_SERVERS} STUN servers, not ${servers.length}`);
  return ok(servers);
}
