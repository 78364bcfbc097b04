// The protocols that routers speak, the best first: PCP says what NAT-PMP does and more; UPnP is the oldest and the slowest.
import type { Clock } from "../../system/clock.ts";
import { createAskRouter } from "./ask-router.ts";
import type { MappingProtocol } from "./mapping-protocol.ts";
import { createNatPmp } from "./nat-pmp.ts";
import { createPcp } from "./pcp.ts";
import { createUpnp, type UpnpPorts } from "./upnp.ts";

export function createRouterProtocols(ports: UpnpPorts & { readonly clock: Clock }): MappingProtocol[] {
  const ask = createAskRouter(ports.udp, ports.clock);
  return [createPcp(ask, ports.randomBytes), createNatPmp(ask), createUpnp(ports)];
}
