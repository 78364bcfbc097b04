// The two cookies: the session, and the sign-in at a provider that is under way. On https they are `__Host-` cookies: bound to this host,
// so that no other host and nothing on plain http can plant one (RFC 6265bis section 4.1.3.2). Browsers take such ones over https only;
// on plain http, which is for loopback and networks that are trusted anyway, they have other names, which https never reads.
import { parse } from "hono/utils/cookie";

export type CookieName = "session" | "sign_in";

export interface Cookie {
  readonly name: CookieName;
  /** base64url or empty: nothing to escape. */
  readonly value: string;
  readonly maxAgeSeconds: number;
}

/** @param origin the control plane's own */
export function renderCookie(origin: string, { name, value, maxAgeSeconds }: Cookie): string {
  const secure = isSecure(origin) ? "; Secure" : "";
  return `${toBrowserName(origin, name)}=${value}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

export const renderRemoval = (origin: string, name: CookieName): string =>
  renderCookie(origin, { name, value: "", maxAgeSeconds: 0 });

export function readCookie(origin: string, { headers }: Request, name: CookieName): string | null {
  const browserName = toBrowserName(origin, name);
  return parse(headers.get("cookie") ?? "", browserName)[browserName] || null;
}

const toBrowserName = (origin: string, name: CookieName): string =>
  isSecure(origin) ? `__Host-becket_${name}` : `becket_${name}`;

const isSecure = (origin: string): boolean => origin.startsWith("https:");
