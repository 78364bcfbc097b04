// PCP at a router.
import { err, ok, type Result } from "#schema/result";
import type { RandomBytes } from "../../system/random.ts";
import type { AskRouter } from "./ask-router.ts";
import type { Mapping, MappingFailure, MappingProtocol, MappingWish, Router } from "./mapping-protocol.ts";
import { PCP_NONCE_BYTES, parseAnnounceReply, parsePcpMapReply, renderAnnounce, renderPcpMap } from "./pcp-messages.ts";

/** A mapping can be changed only with the nonce that made it (RFC 6887 section 11.3): one for all of this agent's life. */
export function createPcp(ask: AskRouter, randomBytes: RandomBytes): MappingProtocol {
  const nonce = randomBytes(PCP_NONCE_BYTES);

  async function map(
    { address, localAddress }: Router,
    wish: MappingWish,
    signal: AbortSignal,
  ): Promise<Result<Mapping, MappingFailure>> {
    const request = renderPcpMap({ ...wish, localAddress, nonce });
    const read = (packet: Buffer) => parsePcpMapReply(packet, nonce, wish.port);
    const reply = await ask({ address, localAddress }, request, read, signal);
    if (reply === null) return err({ code: "no_answer", message: `${address} does not answer to PCP` });
    return reply.ok ? reply : err({ code: "refused", message: `PCP: ${reply.error.problem}` });
  }

  return {
    name: "pcp",
    async find(router, signal) {
      const isThere = await ask(router, renderAnnounce(router.localAddress), parseAnnounceReply, signal);
      if (isThere === null) return err({ code: "no_answer", message: `${router.address} does not answer to PCP` });
      return ok({
        map: (wish, one) => map(router, wish, one),
        release: async (wish, one) => {
          const released = await map(router, { ...wish, lifetimeSeconds: 0 }, one);
          return released.ok ? ok(null) : released;
        },
      });
    },
  };
}
