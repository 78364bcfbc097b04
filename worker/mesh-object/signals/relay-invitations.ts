// Gives both members of a pair the ticket to their relay: the one that asked for it, and the other as an invitation.
import type { MachineId, MeshId } from "#schema/ids";
import type { RelayTicket } from "#schema/wire/messages";
import { type Logger, toErrorFields } from "../../log.ts";
import type { Connections } from "../connections.ts";
import type { RelayTickets } from "./relay-tickets.ts";
import { renderPeerOffline } from "./signals.ts";

export interface RelayInvitations {
  /** Both are members, and the mesh allows it. Signing takes a moment; the tickets go out when they are there. */
  invite(pair: { readonly meshId: MeshId; readonly machineId: MachineId; readonly peerId: MachineId }): void;
}

export function createRelayInvitations(parts: {
  readonly connections: Pick<Connections, "tell">;
  readonly tickets: Pick<RelayTickets, "issue">;
  readonly waitUntil: (promise: Promise<void>) => void;
  readonly now: () => number;
  readonly log: Logger;
}): RelayInvitations {
  const { connections, tickets, waitUntil, now, log } = parts;

  return {
    invite({ meshId, machineId, peerId }) {
      const send = async () => {
        const nowMs = now();
        const [own, peers] = await Promise.all([
          tickets.issue({ meshId, machineId, peerId, nowMs }),
          tickets.issue({ meshId, machineId: peerId, peerId: machineId, nowMs }),
        ]);
        // Either may have gone meanwhile: who is no longer a member is not connected either.
        const isInvited = connections.tell(peerId, renderTicket(machineId, peers, true));
        connections.tell(
          machineId,
          isInvited ? renderTicket(peerId, own, false) : JSON.stringify(renderPeerOffline(peerId)),
        );
      };
      waitUntil(send().catch((error: unknown) => log.error("relay tickets were not given out", toErrorFields(error))));
    },
  };
}

const renderTicket = (peerId: MachineId, ticket: string, isInvitation: boolean): string =>
  JSON.stringify({ type: "relay.ticket", peerId, ticket, isInvitation } satisfies RelayTicket);
