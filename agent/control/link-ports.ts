import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import type { LinkTimings } from "./connection.ts";
import type { Transport } from "./transport.ts";

/** What every link needs, whatever it is to. */
export interface LinkPorts {
  readonly webSocket: Transport;
  readonly longPoll: Transport;
  readonly timings: LinkTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}
