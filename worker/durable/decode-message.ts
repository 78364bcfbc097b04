// Text from a machine, or from whoever watches, to a message of the wire, or the fault by name.
import { z } from "zod";
import { MAX_MACHINE_MESSAGE_BYTES } from "#schema/limits";
import { err, ok, type Result } from "#schema/result";
import { MessageBatch } from "#schema/wire/messages";
import type { Failure } from "../failure.ts";

/** Message types that this version does not know are left out, and named so that they can be logged. */
export interface Decoded<Message> {
  readonly messages: readonly Message[];
  readonly unknownTypes: readonly string[];
}
export type DecodeFailure = Failure<"bad_request" | "malformed_json" | "body_too_large" | "validation_failed">;

export interface Decoder<Message> {
  /** One frame of a socket: one message. */
  decodeFrame(frame: string | ArrayBuffer): Result<Decoded<Message>, DecodeFailure>;
  /** The body of a POST: a MessageBatch. */
  decodeBatch(body: string): Result<Decoded<Message>, DecodeFailure>;
}

const WithType = z.object({ type: z.string() });

export function createDecoder<Message>(
  schema: z.ZodType<Message>,
  types: ReadonlySet<string>,
  maxBytes: number = MAX_MACHINE_MESSAGE_BYTES,
): Decoder<Message> {
  function decodeAll(values: readonly unknown[]): Result<Decoded<Message>, DecodeFailure> {
    const messages: Message[] = [];
    const unknownTypes: string[] = [];
    for (const value of values) {
      const typed = WithType.safeParse(value);
      if (typed.success && !types.has(typed.data.type)) {
        unknownTypes.push(typed.data.type.slice(0, 64));
        continue;
      }
      const parsed = schema.safeParse(value);
      if (!parsed.success) return err(toFailure(parsed.error));
      messages.push(parsed.data);
    }
    return ok({ messages, unknownTypes });
  }

  return {
    decodeFrame(frame) {
      if (typeof frame !== "string") return err({ code: "bad_request", detail: "messages are JSON text, not binary" });
      const json = parseJson(frame, maxBytes);
      return json.ok ? decodeAll([json.value]) : json;
    },
    decodeBatch(body) {
      const json = parseJson(body, maxBytes);
      if (!json.ok) return json;
      const batch = MessageBatch.safeParse(json.value);
      return batch.success ? decodeAll(batch.data.messages) : err(toFailure(batch.error));
    },
  };
}

/** The `type` literals of a discriminated union of messages. */
export const messageTypesOf = (schema: {
  readonly options: readonly { readonly shape: { readonly type: z.ZodLiteral<string> } }[];
}): ReadonlySet<string> => new Set(schema.options.map((option) => option.shape.type.value));

function parseJson(text: string, maxBytes: number): Result<unknown, DecodeFailure> {
  if (isTooLong(text, maxBytes)) return err({ code: "body_too_large", detail: `longer than ${maxBytes} bytes` });
  try {
    return ok(JSON.parse(text));
  } catch {
    // The parser's message quotes what was sent; the code says enough.
    return err({ code: "malformed_json", detail: "not JSON" });
  }
}

// UTF-8 makes at most three bytes of one UTF-16 unit, so only texts near the limit are encoded to be measured.
const isTooLong = (text: string, maxBytes: number): boolean =>
  text.length > maxBytes || (text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes);

function toFailure(error: z.ZodError): DecodeFailure {
  const errors = error.issues.slice(0, 8).map(({ path, message }) => ({ path: path.join("."), message }));
  const [first] = errors;
  const detail = first === undefined ? "not valid" : [first.path, first.message].filter(Boolean).join(": ");
  return { code: "validation_failed", detail, errors };
}
