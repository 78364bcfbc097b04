// PCP at a router.
import { err, ok, type Result } from "#schema/result";
import { hmac } from "../../system/stun-crypto.ts";
import type { AskRouter } from "./ask-router.ts";
import type { Mapping, MappingFailure, MappingProtocol, MappingWish, Router } from "./mapping-protocol.ts";
import { PCP_NONCE_BYTES, parseAnnounceReply, parsePcpMapReply, renderAnnounce, renderPcpMap } from "./pcp-messages.ts";

/** A secret of this machine's own that is the same after a restart; what it is of goes in, so that nothing else can be made of it. */
export type DeriveSecret = (purpose: string) => Uint8Array;

/**
 * A mapping can be changed only with the nonce that made it (RFC 6887 section 11.3), and one that an agent left behind when it was killed lives
 * on for hours: so the next agent has the same nonce.
 */
export function createPcp(ask: AskRouter, deriveSecret: DeriveSecret): MappingProtocol {
  const toNonce = (port: number) =>
    hmac("sha256", deriveSecret("becket pcp nonce v1"), Buffer.from(String(port))).subarray(0, PCP_NONCE_BYTES);

  async function map(
    { address, localAddress }: Router,
    wish: MappingWish,
    signal: AbortSignal,
  ): Promise<Result<Mapping, MappingFailure>> {
    const nonce = toNonce(wish.port);
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
        release: async (port, one) => {
          const released = await map(router, { port, externalPort: 0, lifetimeSeconds: 0 }, one);
          return released.ok ? ok(null) : released;
        },
      });
    },
  };
}
