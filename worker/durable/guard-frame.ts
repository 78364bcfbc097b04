import { type Logger, toErrorFields } from "../log.ts";

/** What goes wrong with a frame is a fault of ours: it ends the socket that brought it, and not the object. */
export function guardFrame(
  webSocket: WebSocket,
  { log, failure }: { log: Logger; failure: string },
  handle: () => void,
) {
  try {
    handle();
  } catch (error) {
    log.error(failure, toErrorFields(error));
    webSocket.close(1011, "internal error");
  }
}
