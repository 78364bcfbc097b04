// The status in a gRPC frame with a HealthCheckResponse. Pure.

const PREFIX_BYTES = 5;
/** Field 1, a varint (protobuf's wire format). */
const STATUS_TAG = 0x08;

/** Null: no whole, uncompressed frame, or one that does not begin as a HealthCheckResponse does. UNKNOWN, which is 0, is not written out. */
export function parseHealthReply(bytes: Uint8Array): number | null {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return null;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  const message = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  if (message.length !== length) return null;
  if (length === 0) return 0;
  const [tag, value] = message;
  // All of its values fit into one byte; 0x80 says that more follow.
  return tag === STATUS_TAG && value !== undefined && value < 0x80 ? value : null;
}
