// A Relay object forwards sealed WireGuard packets between the two members of a pair, over one WebSocket each:
// GET /agent/v1/relays/{meshId}/{peerId}, upgraded, with the machine token and a ticket of the Mesh object.
//
// Binary frames carry packets: each is a 16-bit length (big endian) and that many bytes, as many as fit into MAX_RELAY_FRAME_BYTES.
// Text frames carry the messages below, and the runtime's ping and pong.
import { z } from "zod";
import { MachineId, MeshId } from "../ids.ts";

/** Largest binary frame. */
export const MAX_RELAY_FRAME_BYTES = 16 * 1024;
/** Largest packet in it: a WireGuard packet of an interface with MTU 1,420 is 1,452 bytes; jumbo frames fit too. */
export const MAX_RELAY_PACKET_BYTES = 9_216;
/** A receiver tells how much it has taken each time after about this many bytes. */
export const RELAY_ACK_EVERY_BYTES = 128 * 1024;
/** What a Relay object sends to a receiver beyond what it has acknowledged; then it queues. */
export const RELAY_WINDOW_BYTES = 1024 * 1024;
/** What a Relay object queues for a receiver; then it drops the oldest. */
export const RELAY_QUEUE_BYTES = 512 * 1024;
/** A ticket opens a relay within this time. */
export const RELAY_TICKET_SECONDS = 60;
/** The ticket goes in this header: a URL would get into logs. */
export const RELAY_TICKET_HEADER = "x-becket-relay-ticket";

/** agent → relay: how many bytes of binary frames this connection has taken in all. */
export const RelayAck = z.object({ type: z.literal("relay.ack"), bytes: z.number().int().nonnegative() });
export type RelayAck = z.infer<typeof RelayAck>;
export const ToRelayMessage = z.discriminatedUnion("type", [RelayAck]);

/** relay → agent: whether the other side is there. Sent on opening and at every change. */
export const RelayPeer = z.object({ type: z.literal("relay.peer"), isPresent: z.boolean() });
export type RelayPeer = z.infer<typeof RelayPeer>;
export const FromRelayMessage = z.discriminatedUnion("type", [RelayPeer]);

/** Claims of a ticket: a JWT (EdDSA) signed with a key of the Mesh object. It opens one relay for one machine. */
export const RelayTicketClaims = z.object({
  /** The mesh. */
  iss: MeshId,
  /** The machine that may open it. */
  sub: MachineId,
  /** The other side. */
  peer: MachineId,
  iat: z.number().int(),
  exp: z.number().int(),
});
export type RelayTicketClaims = z.infer<typeof RelayTicketClaims>;

/** Which key signed a ticket: its thumbprint (RFC 7638). Tickets of older code do not say it. */
export const RelayTicketHeader = z.object({
  kid: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
});

/** The name of the Relay object of a pair: the same from both sides. */
export const toRelayName = (meshId: string, one: string, other: string): string =>
  `${meshId}/${[one, other].sort().join("/")}`;
/** The mesh in such a name. */
export const toRelayMesh = (relayName: string): string => relayName.split("/")[0] ?? "";
