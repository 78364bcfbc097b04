// Every metric that the control plane tells at /metrics: docs/monitoring.md describes them for people.
import { gauge } from "./metrics-page.ts";

export const CONTROL_PLANE_METRICS = {
  becket_control_plane_info: gauge("Always 1; the version of the control plane.", ["version"]),
  becket_meshes: gauge("Meshes."),
  becket_machines: gauge(
    "Machines by state: online in a mesh, offline, unassigned (in no mesh, so nobody is asked for them) or unknown (a Mesh object did not answer).",
    ["state"],
  ),
  becket_mesh_info: gauge("Always 1; what the mesh is.", ["mesh", "mesh_id", "cidr", "asn"]),
  becket_mesh_up: gauge("1: the Mesh object answered; 0: it did not, and what it alone knows is left out.", ["mesh"]),
  becket_mesh_revision: gauge("The mesh's revision: counts its changes.", ["mesh"]),
  becket_mesh_members: gauge("Members.", ["mesh"]),
  becket_mesh_members_online: gauge("Members that were seen within the last 60 seconds.", ["mesh"]),
  becket_mesh_members_failing: gauge("Connected members that could not apply something.", ["mesh"]),
  becket_mesh_members_behind: gauge(
    "Connected members whose newest report is of an older revision than what members see.",
    ["mesh"],
  ),
  becket_mesh_gateways: gauge("Gateways among the members.", ["mesh"]),
  becket_mesh_addresses_used: gauge("Addresses that members and VIPs have.", ["mesh"]),
  becket_mesh_addresses_available: gauge("Addresses that are left.", ["mesh"]),
  becket_mesh_connections: gauge("Members' connections by transport: websocket or long_poll.", ["mesh", "transport"]),
  becket_mesh_watchers: gauge("Pages that are told of the mesh's changes live.", ["mesh"]),
  becket_mesh_watched_members: gauge("Members that somebody looks at live, or did within the last minute.", ["mesh"]),
  becket_mesh_pairs: gauge(
    "Pairs of online members that have no direct path, by path: relayed, transit or none (unreachable); the worse of what the two told last.",
    ["mesh", "path"],
  ),
  becket_mesh_routes: gauge("Routes that are enabled.", ["mesh"]),
  becket_mesh_routes_unheld: gauge("Enabled routes none of whose machines is online.", ["mesh"]),
  becket_mesh_vips: gauge("VIPs that are enabled.", ["mesh"]),
  becket_mesh_vips_unheld: gauge("Enabled VIPs none of whose machines is online.", ["mesh"]),
  becket_machine_up: gauge("1: the machine is online in one of its meshes; 0: in none of them.", ["machine"]),
  becket_machine_info: gauge("Always 1; what the machine is. Its version is empty until its agent told it.", [
    "machine",
    "machine_id",
    "version",
    "gateway",
  ]),
} as const;

/** Of so many machines each has series of its own: those that enrolled first. The counts are of all. */
export const MAX_MACHINES_WITH_SERIES = 5_000;
