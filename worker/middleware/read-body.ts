// Bodies, read once and bounded: a body is never held beyond its limit, whatever Content-Length says.
import { err, ok, type Result } from "#schema/result";
import type { Failure } from "../failure.ts";

type BodyFailure = Failure<"body_too_large" | "unsupported_media_type" | "malformed_json">;

export async function readJson(request: Request, maxBytes: number): Promise<Result<unknown, BodyFailure>> {
  if (!isJson(request.headers.get("content-type"))) return err({ code: "unsupported_media_type" });
  const text = await readText(request, maxBytes);
  if (!text.ok) return text;
  try {
    return ok(JSON.parse(text.value));
  } catch {
    // What the parser says names positions in the body, which may be secret; the code is enough.
    return err({ code: "malformed_json" });
  }
}

/** UTF-8 only; other bytes are "malformed_json", the only kind of text taken here. */
export async function readText(
  request: Request,
  maxBytes: number,
): Promise<Result<string, Failure<"body_too_large" | "malformed_json">>> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes === null) return err({ code: "body_too_large", detail: `at most ${maxBytes} bytes` });
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    // TextDecoder throws a bare TypeError for invalid UTF-8.
    return err({ code: "malformed_json", detail: "the body is not UTF-8" });
  }
}

/** Null: there are more than that. */
export async function readBytes(
  { headers, body }: Pick<Request | Response, "headers" | "body">,
  maxBytes: number,
): Promise<Uint8Array | null> {
  if (Number(headers.get("content-length") ?? 0) > maxBytes) return null;
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** `application/json`, with a charset or not. */
const isJson = (contentType: string | null): boolean => /^application\/json\s*(;|$)/i.test(contentType?.trim() ?? "");
