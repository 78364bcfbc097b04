// Files that are named by their content never change: what the Worker answered for one is kept, and given to the next who asks. Compressing the
// dashboard's libraries takes it some 25 ms each time, on two cores, while a browser waits for them.
import type { IncomingMessage } from "node:http";
import { pairsOf, valuesOf } from "./forwarded-request.ts";

export interface KeptAnswer {
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface KeptAssets {
  find(name: string): KeptAnswer | undefined;
  /** Keeps it once all of it has come, if it says that it may be. It is read by somebody else. */
  listen(name: string, answer: IncomingMessage): void;
}

const MAX_BYTES = 16 * 1_024 * 1_024;
const ASSET = /^\/assets\/[\w.-]+$/;
/** Whoever asks for a part, or for what is newer, and who writes weights, is answered by the Worker. */
const CONDITIONS = /^(?:range|if-.*)$/i;
const PLAIN_ENCODINGS = /^[a-z, ]*$/i;
const ENCODINGS = ["br", "gzip", "zstd"];

/** What a request's answer is kept by; null: by nothing. Few for each file, so that nobody can ask for it in a million ways. Pure. */
export function toAssetName(method: string | undefined, path: string, headers: readonly string[]): string | null {
  if (method !== "GET" || !ASSET.test(path)) return null;
  if ([...pairsOf(headers)].some(([name]) => CONDITIONS.test(name))) return null;
  const accepted = valuesOf(headers, "accept-encoding").join(",");
  if (!PLAIN_ENCODINGS.test(accepted)) return null;
  const words = accepted.toLowerCase().split(/[, ]+/);
  return [path, ...ENCODINGS.filter((encoding) => words.includes(encoding))].join(" ");
}

export function createKeptAssets(maxBytes = MAX_BYTES): KeptAssets {
  const kept = new Map<string, KeptAnswer>();
  let keptBytes = 0;
  return {
    find: (name) => kept.get(name),
    listen(name, answer) {
      if (answer.statusCode !== 200 || !/\bimmutable\b/.test(answer.headers["cache-control"] ?? "")) return;
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (keptBytes + bytes <= maxBytes) chunks.push(chunk);
      });
      answer.on("end", () => {
        if (!answer.complete || kept.has(name) || keptBytes + bytes > maxBytes) return;
        keptBytes += bytes;
        kept.set(name, { rawHeaders: toKeptHeaders(answer.rawHeaders, bytes), body: Buffer.concat(chunks) });
      });
    },
  };
}

/** It is sent in one piece, at another time. */
const toKeptHeaders = (rawHeaders: readonly string[], bytes: number): string[] => [
  ...[...pairsOf(rawHeaders)].filter(([name]) => !OF_ITS_TIME.test(name)).flat(),
  ...["content-length", String(bytes)],
];

const OF_ITS_TIME = /^(?:connection|keep-alive|transfer-encoding|content-length|date)$/i;
