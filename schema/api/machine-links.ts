// How a machine talks with its peers: asked of the machine itself while it is connected, but for its link events, which are kept.
import { z } from "zod";
import { Endpoint } from "../address.ts";
import { MachineId, MeshId } from "../ids.ts";
import { LINK_EVENT_DAYS } from "../limits.ts";
import { NatReport } from "../nat.ts";
import { LinkChange, ObservedEndpoint, PathKind, PathReason, PeerExplanation, PeerTelemetry } from "../path.ts";
import { Timestamp } from "../timestamp.ts";
import { defineOperation, PageQuery, pageOf } from "./operation.ts";

const tag = "machines";
const params = z.object({ machineId: MachineId });
const LIVE = "Live: the machine itself is asked, which takes up to four seconds while it begins to measure.";

const listOf = <T extends z.ZodType>(item: T, id: string, description: string) =>
  z.object({ items: z.array(item).describe("All of them.") }).meta({ id, description });

export const PeerList = listOf(PeerTelemetry, "PeerList", "The peers of a machine.");
export const PeerExplanationList = listOf(
  PeerExplanation,
  "PeerExplanationList",
  "How two machines talk, once for each mesh that both are in.",
);
export const EndpointList = listOf(ObservedEndpoint, "EndpointList", "The endpoints of a machine.");

export const MachineNetwork = z
  .object({
    report: NatReport.nullable().describe("What it found out of its network; null while it has not measured yet."),
  })
  .meta({ id: "MachineNetwork", description: "What stands between a machine and the internet." });

export const LinkEvent = z
  .object({
    meshId: MeshId,
    peerId: MachineId.describe("The machine at the other end."),
    peerName: z
      .string()
      .nullable()
      .meta({ description: "Its name; null when it is no longer in the mesh.", examples: ["build-server"] }),
    kind: LinkChange,
    path: PathKind.describe("The path since then."),
    endpoint: Endpoint.nullable().describe("Where packets went from then on, on a direct path; null on any other."),
    reason: PathReason,
    at: Timestamp.describe("When the control plane heard of it."),
    reportedAt: Timestamp.describe("When it happened, by the machine's own clock."),
  })
  .meta({ id: "LinkEvent", description: "A change of the link between two machines, as one of them told it." });
export type LinkEvent = z.infer<typeof LinkEvent>;

export const listMachinePeers = defineOperation({
  id: "listMachinePeers",
  tag,
  method: "get",
  path: "/machines/{machineId}/peers",
  summary: "List a machine's peers",
  description: `Each peer in each mesh that both are in. ${LIVE}`,
  role: "viewer",
  params,
  query: z.object({ meshId: MeshId.optional().describe("Only peers in this mesh.") }),
  status: 200,
  reply: PeerList,
  errors: ["machine_not_found", "machine_offline", "machine_silent"],
});
export const explainMachinePeer = defineOperation({
  id: "explainMachinePeer",
  tag,
  method: "get",
  path: "/machines/{machineId}/peers/{peerId}",
  summary: "Explain how a machine reaches a peer",
  description: `The path, every candidate that was tried, both NATs, and when a better path is tried next. ${LIVE}`,
  role: "viewer",
  params: params.extend({ peerId: MachineId.describe("The machine at the other end.") }),
  status: 200,
  reply: PeerExplanationList,
  errors: ["machine_not_found", "peer_not_found", "machine_offline", "machine_silent"],
});
export const listMachineEndpoints = defineOperation({
  id: "listMachineEndpoints",
  tag,
  method: "get",
  path: "/machines/{machineId}/endpoints",
  summary: "List a machine's endpoints",
  description: `Where it can be reached, or was, in each of its meshes. ${LIVE}`,
  role: "viewer",
  params,
  status: 200,
  reply: EndpointList,
  errors: ["machine_not_found", "machine_offline", "machine_silent"],
});
export const getMachineNetwork = defineOperation({
  id: "getMachineNetwork",
  tag,
  method: "get",
  path: "/machines/{machineId}/network",
  summary: "Read what a machine found out of its network",
  description: LIVE,
  role: "viewer",
  params,
  status: 200,
  reply: MachineNetwork,
  errors: ["machine_not_found", "machine_offline", "machine_silent"],
});
export const listMachineEvents = defineOperation({
  id: "listMachineEvents",
  tag,
  method: "get",
  path: "/machines/{machineId}/events",
  summary: "List a machine's link events, newest first",
  description: `In all meshes that it is in. They are kept for ${LINK_EVENT_DAYS} days; those of a busy mesh for a shorter time.`,
  role: "viewer",
  params,
  query: PageQuery,
  status: 200,
  reply: pageOf(LinkEvent, "LinkEventPage"),
  errors: ["machine_not_found", "cursor_invalid"],
});
