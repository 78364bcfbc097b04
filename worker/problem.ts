// RFC 9457 problem documents: the code for programs, title and detail for people, the request id for whoever looks into the log.
import type { Problem } from "#schema/api/operation";
import { ERROR_STATUS, type ErrorCode } from "#schema/errors";
import type { Failure } from "./failure.ts";

export function toProblem(failure: Failure, requestId: string): Problem {
  const { code, detail, errors } = failure;
  return {
    type: `urn:becket:problem:${code}`,
    title: PROBLEM_TITLES[code],
    status: ERROR_STATUS[code],
    ...(detail === undefined ? {} : { detail }),
    code,
    requestId,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
}

export function toProblemResponse(failure: Failure, requestId: string, headers: Record<string, string> = {}): Response {
  const problem = toProblem(failure, requestId);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...toHeaders(problem.status, failure), ...headers },
  });
}

function toHeaders(status: number, { retryAfterSeconds = 1 }: Failure): Record<string, string> {
  // RFC 9110 section 11.6.1: a 401 names the scheme.
  if (status === 401) return { "www-authenticate": 'Bearer realm="becket"' };
  return status === 503 || status === 429 ? { "retry-after": String(retryAfterSeconds) } : {};
}

export const PROBLEM_TITLES: Readonly<Record<ErrorCode, string>> = {
  request_timeout: "The request did not come in time",
  headers_too_large: "The request's headers are too large",
  bad_request: "The request cannot be understood",
  malformed_json: "The body is not valid JSON",
  cursor_invalid: "The cursor is not one of this list",
  unauthenticated: "A valid bearer token or session is needed",
  api_token_expired: "The API token has expired",
  login_link_invalid: "The sign-in link was used, has expired, or never was one",
  join_token_invalid: "There is no such join token",
  join_token_expired: "The join token has expired",
  join_token_used_up: "The join token has no uses left",
  join_token_revoked: "The join token was revoked",
  machine_token_invalid: "The machine token is not a valid one",
  machine_token_expired: "The machine token has expired; correct the clock from the Date header",
  machine_token_not_yet_valid: "The machine token is of the future; correct the clock from the Date header",
  machine_token_mismatched: "The machine token is for another request",
  machine_token_replayed: "The machine token was used before",
  machine_token_stale: "The machine token is older than this object; sign a new one",
  signature_invalid: "The signature is not the machine's",
  forbidden: "The caller's role does not allow it",
  origin_mismatched: "The request does not come from this control plane's own pages",
  user_blocked: "The user is blocked",
  not_a_member: "The machine is not in this mesh",
  relay_ticket_invalid: "The relay ticket is not a valid one; ask the mesh for a new one",
  machine_removed: "The machine was removed",
  not_found: "There is nothing at this path",
  mesh_not_found: "There is no such mesh",
  machine_not_found: "There is no such machine",
  member_not_found: "The machine is not in this mesh",
  peer_not_found: "The machine has no such peer",
  join_token_not_found: "There is no such join token",
  api_token_not_found: "There is no such API token",
  user_not_found: "There is no such user",
  session_not_found: "There is no such session",
  route_not_found: "There is no such route",
  vip_not_found: "There is no such VIP",
  policy_set_not_found: "There is no such policy set",
  rollout_not_found: "There is no such roll-out",
  method_not_allowed: "This path does not take this method",
  name_taken: "The name is taken",
  key_taken: "The key is taken",
  asn_taken: "The AS number is taken",
  cidr_overlap: "The networks overlap",
  prefix_taken: "Another route has this prefix",
  already_member: "The machine is in this mesh already",
  address_taken: "The address is taken",
  address_pool_exhausted: "The mesh has no free address",
  mesh_not_empty: "The mesh has members",
  policy_set_in_use: "The policy set is in use",
  last_owner_token: "The last owner token cannot be revoked",
  gateway_required: "The mesh has no gateway",
  nothing_to_upgrade: "There is no machine that could be upgraded",
  rollout_in_progress: "Another roll-out has not ended",
  rollout_ended: "The roll-out has ended",
  rollout_outdated: "The control plane hands out another agent by now",
  last_owner: "The last owner can be neither removed, blocked nor given another role",
  limit_reached: "The mesh has as many of these as it can have",
  idempotency_in_progress: "The first request with this Idempotency-Key is still running",
  body_too_large: "The body is too large",
  unsupported_media_type: "The body must be application/json",
  validation_failed: "The request is not valid",
  address_outside_mesh: "The address is not in the mesh's network",
  default_route_not_allowed: "The route does not allow a default route",
  idempotency_key_reused: "The Idempotency-Key was used for another request",
  upgrade_required: "This needs a WebSocket",
  wire_version_unsupported: "The wire version is not supported",
  rate_limited: "Too many requests",
  internal_error: "Something went wrong here; the log has the request id",
  machine_offline: "The machine is not connected",
  machine_silent: "The machine is connected and does not answer",
  unavailable: "The control plane is not available; try again",
};
