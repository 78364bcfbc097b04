// Who gets in: a machine that the Worker has authenticated, with a ticket for this relay, and a machine token that was not used here before.
import type { MachineId } from "#schema/ids";
import { err, ok, type Result } from "#schema/result";
import { RELAY_TICKET_HEADER } from "#schema/wire/relay";
import { createReplayGuard } from "../auth/replay-guard.ts";
import { parseTrustedHeaders } from "../durable/agent-endpoint.ts";
import type { Failure } from "../failure.ts";
import type { TicketVerifier } from "./verify-ticket.ts";

export interface Admitted {
  readonly machineId: MachineId;
  readonly peerId: MachineId;
}

export function createAdmission(
  tickets: TicketVerifier,
  now: () => number,
): (request: Request) => Promise<Result<Admitted, Failure>> {
  const replays = createReplayGuard(now());
  return async ({ headers }) => {
    const trusted = parseTrustedHeaders(headers);
    if (trusted === null) return err({ code: "unauthenticated" });
    // The ticket first, so that the memory of tokens grows only with machines that belong here.
    const ticket = await tickets.verify(headers.get(RELAY_TICKET_HEADER), trusted.machineId);
    if (!ticket.ok) return ticket;
    const replay = replays.check(trusted, now());
    return replay === null ? ok({ machineId: trusted.machineId, peerId: ticket.value.peer }) : err({ code: replay });
  };
}
