// What the three protocols have in common: a router is found to speak one, and then maps and releases UDP ports by it.
import type { Result } from "#schema/result";

/** The best first. */
export const MAPPING_PROTOCOLS = ["pcp", "nat-pmp", "upnp"] as const;
export type MappingProtocolName = (typeof MAPPING_PROTOCOLS)[number];

/** The router that this machine's default route goes through, and the machine's address on that network. IPv4. */
export interface Router {
  readonly address: string;
  readonly localAddress: string;
}

export interface MappingProtocol {
  readonly name: MappingProtocolName;
  /** Rejects only when aborted, like all that follows. */
  find(router: Router, signal: AbortSignal): Promise<Result<MappingSession, MappingFailure>>;
}

/** One router that speaks one protocol. */
export interface MappingSession {
  /** Also renews. */
  map(wish: MappingWish, signal: AbortSignal): Promise<Result<Mapping, MappingFailure>>;
  /** Never another machine's mapping. */
  release(port: number, signal: AbortSignal): Promise<Result<null, MappingFailure>>;
}

export interface MappingWish {
  readonly port: number;
  /** A wish only. When renewing, what the router gave. */
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}

export interface Mapping {
  readonly externalAddress: string;
  readonly externalPort: number;
  /** Null: until it is released. */
  readonly lifetimeSeconds: number | null;
}

export type MappingFailure =
  | { readonly code: "no_answer"; readonly message: string }
  | { readonly code: "refused"; readonly message: string }
  /** It answered what the protocol does not know, or has no address itself. */
  | { readonly code: "useless"; readonly message: string };
