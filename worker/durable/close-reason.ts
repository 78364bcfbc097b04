import type { ErrorCode } from "#schema/errors";
import { CLOSE_CODES } from "#schema/wire/close-codes";
import type { Failure } from "../failure.ts";

/** A control frame's payload holds 125 bytes, two of them the code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

const CODE_OF: Partial<Record<ErrorCode, number>> = {
  wire_version_unsupported: CLOSE_CODES.wireVersion,
  rate_limited: CLOSE_CODES.rateLimited,
  not_a_member: CLOSE_CODES.removed,
  machine_removed: CLOSE_CODES.removed,
};

/** How a socket closes where a long-poll would answer a problem document. */
export function toClose(failure: Failure): { readonly code: number; readonly reason: string } {
  const text = failure.detail === undefined ? failure.code : `${failure.code}: ${failure.detail}`;
  return { code: CODE_OF[failure.code] ?? CLOSE_CODES.badMessage, reason: truncateUtf8(text, MAX_REASON_BYTES) };
}

function truncateUtf8(text: string, maxBytes: number): string {
  const encoder = new TextEncoder();
  // `encodeInto` stops before a character that does not fit whole.
  const { read } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
