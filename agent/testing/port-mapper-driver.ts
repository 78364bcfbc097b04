// A port mapper on the real system, as a program, so that it can run in a namespace. Prints its state as a line of JSON at each change; a
// line on its stdin says that the network changed; at the end of its stdin it stops.
//
//   node agent/testing/port-mapper-driver.ts PROTOCOL,… PORT,… [RENEW_MS]
import { createInterface } from "node:readline";
import { createPortMapper, PORT_MAPPER_TIMINGS } from "../net/port-mapper.ts";
import { chooseRouter } from "../net/port-mapping/choose-router.ts";
import { createRouterProtocols } from "../net/port-mapping/router-protocols.ts";
import { createClock } from "../system/clock.ts";
import { createHttp } from "../system/http.ts";
import { randomBytes } from "../system/random.ts";
import { readInterfaceAddresses, readRouteTable } from "../system/route-table.ts";
import { createUdpSockets } from "../system/udp.ts";

const [protocols = "", ports = "", renewMs = PORT_MAPPER_TIMINGS.maxRenewMs] = process.argv.slice(2);
const clock = createClock();
const all = createRouterProtocols({
  ...{ udp: createUdpSockets(), http: createHttp({}), clock, randomBytes },
  deriveSecret: (purpose) => Buffer.from(`the driver's ${purpose}`),
});
const mapper = createPortMapper({
  readRouter: () => chooseRouter(readRouteTable(), readInterfaceAddresses()),
  protocols: all.filter(({ name }) => protocols.split(",").includes(name)),
  clock,
  timings: { ...PORT_MAPPER_TIMINGS, minRenewMs: 200, maxRenewMs: Number(renewMs) },
});
mapper.start(ports.split(",").map(Number), () => process.stdout.write(`${JSON.stringify(mapper.state())}\n`));
const commands = createInterface({ input: process.stdin });
commands.on("line", () => mapper.networkChanged());
commands.on("close", () => mapper.stop().then(() => process.exit(0)));
