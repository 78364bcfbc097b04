// How the values of attributes that are no endpoints are written and read.

export interface ValueCodec<T> {
  /** Throws a RangeError on what the attribute can't say. */
  readonly encode: (value: T, transactionId: Uint8Array) => Buffer;
  /** Null: not what the attribute should be. */
  readonly decode: (value: Buffer, transactionId: Uint8Array) => T | null;
}

/** Says something by being there. */
export const flag: ValueCodec<true> = {
  encode: () => Buffer.alloc(0),
  decode: (value) => (value.length === 0 ? true : null),
};

/** Two bytes of port, two of padding (RFC 5780, section 7.5). */
export const paddedPort: ValueCodec<number> = {
  encode: (port) => Buffer.from([port >>> 8, port & 255, 0, 0]),
  decode: (value) => (value.length === 4 ? value.readUInt16BE(0) : null),
};

export const text = (maxBytes: number): ValueCodec<string> => ({
  encode(value) {
    const bytes = Buffer.from(value, "utf8");
    if (bytes.length > maxBytes) throw new RangeError(`a STUN text of ${bytes.length} bytes is too long`);
    return bytes;
  },
  decode(value) {
    const decoded = value.toString("utf8");
    return value.length <= maxBytes && Buffer.from(decoded, "utf8").equals(value) ? decoded : null;
  },
});

const MAX_REASON_BYTES = 763;
const reasonText = text(MAX_REASON_BYTES);

/** The hundreds in three bits, the rest in a byte (RFC 8489, section 14.8). */
export const errorCode: ValueCodec<{ readonly code: number; readonly reason: string }> = {
  encode({ code, reason }, transactionId) {
    if (!Number.isInteger(code) || code < 300 || code > 699) throw new RangeError(`${code} is no STUN error`);
    const head = Buffer.from([0, 0, Math.floor(code / 100), code % 100]);
    return Buffer.concat([head, reasonText.encode(reason, transactionId)]);
  },
  decode(value, transactionId) {
    const hundreds = (value[2] ?? 0) & 7;
    const rest = value[3] ?? 100;
    const reason = reasonText.decode(value.subarray(4), transactionId);
    return hundreds < 3 || hundreds > 6 || rest > 99 || reason === null
      ? null
      : { code: hundreds * 100 + rest, reason };
  },
};

export const typeList: ValueCodec<readonly number[]> = {
  encode(types) {
    const bytes = Buffer.alloc(types.length * 2);
    for (const [index, type] of types.entries()) bytes.writeUInt16BE(type, index * 2);
    return bytes;
  },
  decode(value) {
    if (value.length % 2 !== 0) return null;
    return Array.from({ length: value.length / 2 }, (_, index) => value.readUInt16BE(index * 2));
  },
};

const CHANGE_ADDRESS = 4;
const CHANGE_PORT = 2;

/** RFC 5780, section 7.2. */
export const changeRequest: ValueCodec<{ readonly changeAddress: boolean; readonly changePort: boolean }> = {
  encode({ changeAddress, changePort }) {
    return Buffer.from([0, 0, 0, (changeAddress ? CHANGE_ADDRESS : 0) | (changePort ? CHANGE_PORT : 0)]);
  },
  decode(value) {
    if (value.length !== 4) return null;
    const flags = value.readUInt32BE();
    return { changeAddress: (flags & CHANGE_ADDRESS) !== 0, changePort: (flags & CHANGE_PORT) !== 0 };
  },
};
