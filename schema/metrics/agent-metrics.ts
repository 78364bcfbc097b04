// Every metric that an agent tells at its /metrics: docs/monitoring.md describes them for people.
import { counter, gauge } from "./metrics-page.ts";

const OF_PEER = ["mesh", "peer"] as const;
const OF_ANNOUNCEMENT = ["mesh", "announcement", "kind", "prefix"] as const;

export const AGENT_METRICS = {
  becket_agent_info: gauge("Always 1; what the agent is.", [
    "machine",
    "machine_id",
    "version",
    "node_version",
    "kernel_version",
  ]),
  becket_agent_control_plane_up: gauge("1: the agent is connected to its control plane."),
  becket_agent_failures: gauge("Failures of the agent itself, such as a disk that can't be written."),
  becket_agent_mesh_info: gauge("Always 1; the machine's place in the mesh.", [
    "mesh",
    "mesh_id",
    "interface",
    "address",
    "address6",
  ]),
  becket_agent_mesh_up: gauge("1: the agent is connected to the Mesh object.", ["mesh"]),
  becket_agent_mesh_revision: gauge("The newest revision of the mesh that the agent knows.", ["mesh"]),
  becket_agent_mesh_applied_revision: gauge("The newest revision of the mesh that the system follows.", ["mesh"]),
  becket_agent_mesh_failures: gauge("Steps that failed and were not mended yet.", ["mesh"]),
  becket_agent_mesh_peers: gauge("Peers.", ["mesh"]),
  becket_agent_peer_up: gauge("1: packets pass to the peer; 0: its status tells why not.", OF_PEER),
  becket_agent_peer_status: gauge(
    "1 for the status that the peer has: up, idle (nothing to send), connecting, down, or waiting (not configured yet).",
    [...OF_PEER, "status"],
  ),
  becket_agent_peer_path: gauge("1 for the path that the peer has: direct, relayed, transit or none.", [
    ...OF_PEER,
    "path",
  ]),
  becket_agent_peer_last_handshake_timestamp_seconds: gauge(
    "When the newest WireGuard handshake with the peer was, Unix time; left out when there was none.",
    OF_PEER,
  ),
  becket_agent_peer_latency_seconds: gauge(
    "Round-trip time of the path in use, smoothed; left out until measured.",
    OF_PEER,
  ),
  becket_agent_peer_loss_ratio: gauge(
    "Of the newest checks of the path in use, those without an answer, 0 to 1; left out until measured.",
    OF_PEER,
  ),
  becket_agent_peer_receive_bytes_total: counter("Bytes that WireGuard received from the peer.", OF_PEER),
  becket_agent_peer_transmit_bytes_total: counter("Bytes that WireGuard sent to the peer.", OF_PEER),
  becket_agent_bgp_session_up: gauge("1: the BGP session with the peer is established; 0: it is not.", OF_PEER),
  becket_agent_bgp_routes_received: gauge("Routes taken from the peer in its BGP session.", OF_PEER),
  becket_agent_bgp_routes_filtered: gauge("Routes of the peer that import filters refused.", OF_PEER),
  becket_agent_announcement_up: gauge(
    "1: this machine announces the route or VIP; 0: its health check keeps it from that.",
    OF_ANNOUNCEMENT,
  ),
  becket_agent_announcement_status: gauge(
    "1 for the status that the health check has: unchecked (there is none), pending, healthy or unhealthy.",
    [...OF_ANNOUNCEMENT, "status"],
  ),
  process_cpu_seconds_total: counter("User and system CPU time of the agent's process, seconds."),
  process_resident_memory_bytes: gauge("Resident memory of the agent's process, bytes."),
  process_start_time_seconds: gauge("When the agent's process started, Unix time."),
} as const;
