// Two TCP or unix sockets as one: bytes, half-closes and failures pass in both directions.
import type { Socket } from "node:net";

export function joinSockets(left: Socket, right: Socket): void {
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    from.setNoDelay(true);
    from.pipe(to);
    from.on("error", () => to.destroy());
    // One that ended in good order is closed in good order too: destroying would lose what is still to be written.
    from.on("close", () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}
