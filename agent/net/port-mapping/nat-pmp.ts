// NAT-PMP at a router.
import { err, ok, type Result } from "#schema/result";
import type { AskRouter, RouterReply } from "./ask-router.ts";
import type { Mapping, MappingFailure, MappingProtocol, MappingWish, Router } from "./mapping-protocol.ts";
import { parseAddressReply, parseMapReply, renderAddressRequest, renderMapRequest } from "./nat-pmp-messages.ts";

export function createNatPmp(ask: AskRouter): MappingProtocol {
  async function request<T>(
    router: Router,
    packet: Buffer,
    read: (reply: Buffer) => RouterReply<T> | null,
    signal: AbortSignal,
  ): Promise<Result<T, MappingFailure>> {
    const reply = await ask(router, packet, read, signal);
    if (reply === null) return err({ code: "no_answer", message: `${router.address} does not answer to NAT-PMP` });
    if (!reply.ok) return err({ code: "refused", message: `NAT-PMP: ${reply.error.problem}` });
    return reply;
  }
  const askAddress = (router: Router, signal: AbortSignal) =>
    request(router, renderAddressRequest(), parseAddressReply, signal);
  const askMapping = (router: Router, { port, externalPort, lifetimeSeconds }: MappingWish, signal: AbortSignal) =>
    request(
      router,
      renderMapRequest(port, externalPort, lifetimeSeconds),
      (reply) => parseMapReply(reply, port),
      signal,
    );

  async function map(router: Router, wish: MappingWish, signal: AbortSignal): Promise<Result<Mapping, MappingFailure>> {
    const mapped = await askMapping(router, wish, signal);
    if (!mapped.ok) return mapped;
    const address = await askAddress(router, signal);
    return address.ok ? ok({ ...mapped.value, externalAddress: address.value }) : address;
  }

  return {
    name: "nat-pmp",
    async find(router, signal) {
      const address = await askAddress(router, signal);
      if (!address.ok) return address;
      return ok({
        map: (wish, one) => map(router, wish, one),
        release: async (port, one) => {
          const released = await askMapping(router, { port, externalPort: 0, lifetimeSeconds: 0 }, one);
          return released.ok ? ok(null) : released;
        },
      });
    },
  };
}
