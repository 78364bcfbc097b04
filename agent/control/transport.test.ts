import { createLongPollTransport } from "./long-poll.ts";
import { createSocketTransport } from "./socket.ts";
import { describeTransport, TEST_TIMINGS } from "./transport.contract.ts";

describeTransport("WebSocket", (api, clock) => createSocketTransport(api, clock, TEST_TIMINGS));
describeTransport("long-poll", (api, clock) => createLongPollTransport(api, clock, TEST_TIMINGS));
