// VIPs: addresses of a mesh that one of several members holds.
import { z } from "zod";
import { Ipv4, Ipv6 } from "./address.ts";
import { announcementHealth } from "./announcement-state.ts";
import { MeshId, VipId } from "./ids.ts";
import { Name } from "./mesh.ts";
import { Announcers, isEnabled, NullableHealthCheck } from "./route.ts";
import { Timestamp } from "./timestamp.ts";

export const Vip = z
  .object({
    id: VipId,
    meshId: MeshId,
    name: Name.meta({ description: "The VIP's name, unique among the mesh's VIPs.", examples: ["database"] }),
    address: Ipv4.describe("Its IPv4 address, of the mesh's network: no member gets it."),
    address6: Ipv6.describe("Its IPv6 address: the mesh's IPv6 network and the host number of the IPv4 address."),
    machineIds: Announcers,
    enabled: isEnabled,
    healthCheck: NullableHealthCheck,
    createdAt: Timestamp.describe("When the VIP was created."),
    ...announcementHealth,
  })
  .meta({
    id: "Vip",
    description: "A virtual IP: an address of a mesh that whichever of its machines is healthy holds.",
  });
export type Vip = z.infer<typeof Vip>;
