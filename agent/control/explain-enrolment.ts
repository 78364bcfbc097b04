// Why an enrolment was refused, in a sentence that names the cause and the remedy.
import type { ApiFailure } from "./api-failure.ts";
import type { EnrolmentError } from "./enrol.ts";

const NEW_TOKEN = "Make a new one in the control plane (POST /api/v1/join-tokens) and start again.";

const SENTENCES: Readonly<Record<string, string>> = {
  join_token_invalid: `The control plane does not know this join token. Check that it was copied whole and that it is for this control plane. ${NEW_TOKEN}`,
  join_token_expired: `The join token has expired: it is good for 10 minutes unless asked otherwise. ${NEW_TOKEN}`,
  join_token_used_up: `The join token was used as often as it may be. ${NEW_TOKEN}`,
  join_token_revoked: `The join token was revoked. ${NEW_TOKEN}`,
  signature_invalid:
    "The control plane could not verify this machine's signature. Something between changes requests, or the identity key is damaged: try without a proxy, or give this machine a new identity with `becket down --forget` and start again with a new token.",
  machine_removed:
    "This machine was removed from the control plane, and its identity with it. Run `becket down --forget`, then start again with a new join token.",
  wire_version_unsupported:
    "This agent is too old or too new for the control plane. Install the agent's current version.",
  validation_failed: "The control plane did not accept what this agent sent. Install the agent's current version.",
  address_pool_exhausted:
    "A mesh that the join token names has no free address left. Remove members from it, or use a token for another mesh.",
  cidr_overlap:
    "The join token names meshes whose networks overlap; a machine can be in only one of them. Use a token for one of them.",
};

export function explainEnrolmentRefusal(failure: ApiFailure, url: string): EnrolmentError {
  switch (failure.code) {
    case "network":
      return { code: "network", message: `${failure.message}. Check the URL ${url} and this machine's network.` };
    case "foreign":
      return {
        code: "not_a_control_plane",
        message: `${url}: ${failure.message}. Check the URL (it is scheme, host and port, without a path).`,
      };
    case "refused": {
      const message = SENTENCES[failure.problem] ?? `The control plane refused the enrolment: ${failure.message}.`;
      return { code: failure.problem, message: `${message} (${failure.problem})` };
    }
  }
}
