/** Why the control plane cannot start, in words for whoever started it; anything else that is thrown is a fault of ours. */
export class StartError extends Error {
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.code = code;
  }
}

export type StartErrorCode =
  | "port_in_use"
  | "address_not_available"
  | "state_not_writable"
  | "state_in_use"
  | "state_newer"
  | "restore_unfinished"
  | "owner_token_too_short"
  | "origin_invalid"
  | "stun_servers_invalid"
  | "trusted_proxies_invalid"
  | "oidc_invalid";

export const isStartError = (error: unknown): error is StartError => error instanceof StartError;
