import { type EndpointParts, parseEndpoint } from "#schema/address";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

/** Null: nobody shall be answered. A port alone is this machine's own. Throws a CommandFailure that says what is wrong. */
export function parseMetricsAddress(option: string | undefined, variable: string | undefined): EndpointParts | null {
  const [text, name] = option === undefined ? [variable ?? "", "BECKET_METRICS"] : [option, "--metrics"];
  if (text === "" && option === undefined) return null;
  const parsed = parseEndpoint(/^\d+$/.test(text) ? `127.0.0.1:${text}` : text.replace(/^localhost:/, "127.0.0.1:"));
  if (parsed !== null) return parsed;
  const message = `${name}: "${text}" is no address to listen at: it must be IP:PORT, like 127.0.0.1:9586 or [::1]:9586, or a port of this machine's own (9586).`;
  throw new CommandFailure(EXIT_CODES.usage, message);
}
