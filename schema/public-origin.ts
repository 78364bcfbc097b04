// Where machines and browsers call the control plane, as an operator writes it in BECKET_ORIGIN or --origin.
import { z } from "zod";
import { err, ok, type Result } from "./result.ts";

const Url = z.url({ protocol: /^https?$/, normalize: true });

/** Null: each request's own. The error is a sentence. It is compared as text, so only how URLs write it is taken: no default port, no slash at the end. */
export function parsePublicOrigin(text: string | undefined): Result<string | null, string> {
  if (text === undefined || text === "") return ok(null);
  // An origin's whole URL is the origin and a slash, as is that of one with a user's name in it.
  if (!text.includes("@") && Url.safeParse(text).data === `${text}/`) return ok(text);
  return err(`${text} is no origin: scheme, host and port, like https://becket.example.org`);
}
