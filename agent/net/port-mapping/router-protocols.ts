// The protocols that routers speak, the best first: PCP says what NAT-PMP does and more; UPnP is the oldest and the slowest.
import { createAskRouter } from "./ask-router.ts";
import type { MappingProtocol } from "./mapping-protocol.ts";
import { createNatPmp } from "./nat-pmp.ts";
import { createPcp, type DeriveSecret } from "./pcp.ts";
import { createUpnp, type UpnpPorts } from "./upnp.ts";

export interface RouterProtocolPorts extends UpnpPorts {
  readonly deriveSecret: DeriveSecret;
}

export function createRouterProtocols(ports: RouterProtocolPorts): MappingProtocol[] {
  const ask = createAskRouter(ports.udp, ports.clock);
  return [createPcp(ask, ports.deriveSecret), createNatPmp(ask), createUpnp(ports)];
}
