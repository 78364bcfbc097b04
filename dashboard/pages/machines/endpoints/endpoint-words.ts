import type { EndpointType } from "#schema/desired-state";
import type { Tone } from "../../../components/badge.tsx";

export const ENDPOINT_WORDS: Readonly<
  Record<EndpointType, { readonly label: string; readonly hint: string; readonly tone: Tone }>
> = {
  host: { label: "host", hint: "An address of the machine itself", tone: "neutral" },
  stun: { label: "STUN", hint: "A STUN server saw it there", tone: "info" },
  port_mapped: { label: "port-mapped", hint: "A router opened it", tone: "good" },
  peer_observed: { label: "peer-observed", hint: "A peer's check saw it there", tone: "accent" },
  mesh_observed: { label: "mesh-observed", hint: "A peer's WireGuard receives its traffic from there", tone: "accent" },
  static: { label: "static", hint: "Configured on the machine", tone: "neutral" },
};
