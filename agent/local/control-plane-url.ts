import { ControlPlaneUrl } from "#schema/local/agent-files";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

/** The origin as everybody writes it: lower case, no default port, no slash at the end. Null stays null. */
export function parseControlPlaneUrl(text: string | null): string | null {
  if (text === null || text === "") return null;
  const parsed = ControlPlaneUrl.safeParse(text.replace(/\/+$/, ""));
  const url = parsed.success && URL.canParse(parsed.data) ? new URL(parsed.data) : null;
  if (url !== null && url.hostname !== "") return url.origin;
  const message = `${text} is not the URL of a control plane: it must be scheme, host and port only, like https://becket.example.com.`;
  throw new CommandFailure(EXIT_CODES.usage, message);
}
