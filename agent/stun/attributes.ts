// The attributes of Binding messages: RFC 8489 section 14, RFC 5780 section 7, and USE-CANDIDATE of RFC 8445. Types up to 0x7fff have to be
// understood by who gets them, the others may be passed over.
import type { Endpoint } from "#schema/address";
import { decodeEndpoint, decodeXorEndpoint, encodeEndpoint, encodeXorEndpoint } from "./address-value.ts";
import { changeRequest, errorCode, flag, paddedPort, text, typeList, type ValueCodec } from "./attribute-values.ts";
import { INTEGRITY, INTEGRITY_SHA256 } from "./integrity.ts";

export interface StunAttributes {
  readonly username?: string;
  /** Read by nobody and sent to nobody: with it the test vectors of RFC 5769 can be rendered byte for byte. */
  readonly software?: string;
  readonly mappedAddress?: Endpoint;
  readonly xorMappedAddress?: Endpoint;
  readonly errorCode?: { readonly code: number; readonly reason: string };
  readonly otherAddress?: Endpoint;
  readonly responseOrigin?: Endpoint;
  readonly changeRequest?: { readonly changeAddress: boolean; readonly changePort: boolean };
  /** Asks that the answer go to this port, instead of the one that the request came from. */
  readonly responsePort?: number;
  /** The controlling side nominates the endpoint that this check goes to (RFC 8445, section 7.1.2). */
  readonly useCandidate?: true;
  /** The UNKNOWN-ATTRIBUTES of an error 420. */
  readonly unknownAttributes?: readonly number[];
  /** Types in a parsed message that have to be understood and aren't: a request with some is answered by 420. Never rendered. */
  readonly unknownRequired?: readonly number[];
}

type Name = Exclude<keyof StunAttributes, "unknownRequired">;
type ValueOf<N extends Name> = NonNullable<StunAttributes[N]>;

interface Attribute<T> extends ValueCodec<T> {
  readonly type: number;
}

const endpoint = { encode: encodeEndpoint, decode: decodeEndpoint };

/** In the order in which they are written. */
const CODECS: { readonly [N in Name]: Attribute<ValueOf<N>> } = {
  software: { type: 0x8022, ...text(509) },
  errorCode: { type: 0x0009, ...errorCode },
  unknownAttributes: { type: 0x000a, ...typeList },
  username: { type: 0x0006, ...text(508) },
  useCandidate: { type: 0x0025, ...flag },
  changeRequest: { type: 0x0003, ...changeRequest },
  responsePort: { type: 0x0027, ...paddedPort },
  xorMappedAddress: { type: 0x0020, encode: encodeXorEndpoint, decode: decodeXorEndpoint },
  mappedAddress: { type: 0x0001, ...endpoint },
  responseOrigin: { type: 0x802b, ...endpoint },
  otherAddress: { type: 0x802c, ...endpoint },
};
const BY_TYPE = new Map(Object.entries(CODECS).map(([name, { type, decode }]) => [type, { name, decode }]));
/** Understood, and handled elsewhere. */
const PROTECTION = new Set([INTEGRITY, INTEGRITY_SHA256]);

export const isRequired = (type: number): boolean => type < 0x8000;

export function encodeAttributes(attributes: StunAttributes, transactionId: Uint8Array): Buffer {
  const encode = <N extends Name>(name: N): Buffer[] => {
    const value = attributes[name];
    const codec: Attribute<ValueOf<N>> = CODECS[name];
    return value === undefined ? [] : [frame(codec.type, codec.encode(value, transactionId))];
  };
  return Buffer.concat((Object.keys(CODECS) as Name[]).flatMap((name) => encode(name)));
}

export function decodeAttribute(
  type: number,
  value: Buffer,
  transactionId: Uint8Array,
): StunAttributes | "unknown" | "malformed" {
  const codec = BY_TYPE.get(type);
  if (codec === undefined) return PROTECTION.has(type) ? {} : "unknown";
  const decoded = codec.decode(value, transactionId);
  return decoded === null ? "malformed" : { [codec.name]: decoded };
}

/** Values are padded to 32 bits; the length doesn't count that. */
function frame(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, 4);
  return bytes;
}
